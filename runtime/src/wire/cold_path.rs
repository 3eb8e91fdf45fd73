//! [`cold_path`]: marks the less frequent of two branches.
//!
//! Invariant: the mark changes where instructions are placed, and never what they do.

/// Marks the branch that calls it as the rarer one: its instructions are placed out of the
/// way, so that the other branch runs straight through. Otherwise both count as equally
/// likely, and which of them takes a jump is up to the compiler's luck. Measured:
///
/// - an optional number that is present: a message of 29 fields, 3 of them present, takes up to
///   a quarter less time to encode, depending on its caller; with all fields, it takes a
///   hundredth more;
/// - a tag, a length or a number of two or more bytes: borrowed index terms are decoded in a
///   tenth less time, puts in a twentieth, and what is always longer takes no more;
/// - a nested message of 128 bytes or more: index terms, which have none, are encoded in a
///   thirtieth less time, and maps, which have some, too.
///
/// What is called there is inlined only if it is short or `#[inline(always)]`.
///
/// The same as `std::hint::cold_path`, which is stable since Rust 1.95.
#[cold]
pub(super) const fn cold_path() {}
