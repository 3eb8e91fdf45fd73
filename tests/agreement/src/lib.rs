//! Holds the codec and the generator to what others say of the same bytes.
//!
//! Each module is one claim that can be asked of any input: what tests ask of
//! random and of kept inputs, the fuzz targets in `tests/fuzz` ask of those
//! that libFuzzer makes up. Claims panic where they do not hold.
//!
//! Invariant: every message of the schema is asked about: see [`KINDS`].

pub mod agreement;
pub mod decoding;
pub mod frames;
pub mod generating;
pub mod heap;
pub mod hostile;
mod kinds;
mod peer;
mod sample;
mod tape;
pub mod varints;
mod wire;

pub use kinds::{Body, KINDS, Kind};
