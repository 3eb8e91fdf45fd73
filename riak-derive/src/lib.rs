//! Reserved for `#[derive(RiakMessage)]`, which gives hand-written types the codec that generated ones have. It is not there yet.
