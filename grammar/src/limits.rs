//! How large a line may be: every number that ends a parse, in one place.
//!
//! Deliberately absent: limits of running (time, rounds, values), which belong to the engine.

/// Bytes of a line as typed: 16 KiB.
pub const LINE_BYTES: usize = 16_384;

/// How deep blocks and substitutions may stand in each other, counted together.
pub const DEPTH: usize = 16;

/// Substitutions in a whole line, at any depth.
pub const SUBSTITUTIONS: usize = 64;

/// Stages in a line, over all its pipelines; each line inside it has as many of its own.
pub const STAGES: usize = 64;
