//! Manifests, programs and installing, as they are used from outside the room.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod installing;
mod manifests;
mod misbehaving;
mod programs;
mod settings;
mod shipped;
mod stage;
