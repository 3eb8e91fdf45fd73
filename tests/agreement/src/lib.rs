//! Checks the codec and the generator against independent implementations.
//!
//! Each module is a property that holds for any input. Tests check the properties with
//! random inputs and with the fuzzing corpus, and the fuzz targets in `tests/fuzz` with
//! inputs from libFuzzer. A property that does not hold panics.
//!
//! Invariant: every message of the schema is covered: see [`KINDS`].

pub mod agreement;
mod choices;
pub mod decoding;
pub mod frames;
pub mod generating;
pub mod heap;
pub mod hostile;
mod kinds;
mod peer;
mod sample;
pub mod varints;
mod wire;

pub use kinds::{Body, KINDS, Kind};
