//! Manifests, programs and installing, as they are used from outside the room.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod archives;
mod asking;
mod installing;
mod languages;
mod manifests;
mod misbehaving;
mod odd_archives;
mod programs;
mod settings;
mod shapes;
mod shipped;
mod stage;
mod warm;
