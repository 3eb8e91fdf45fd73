//! [`Identities`]: vtags, generated keys and the node's name as an actor.
//!
//! Invariant: a seed gives the same sequence every time; without one, two nodes
//! share nothing.

use std::hash::{BuildHasher, RandomState};

use riak_runtime::Blob;

use crate::crdt::Epoch;
use crate::sha1;
use crate::vclock::{Actor, Dot};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Gives out names and counters.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    seed: u64,
    /// Who this node is in vclocks.
    actor: Actor,
    names: u64,
    writes: u64,
    epochs: u32,
}

impl Identities {
    /// Names that follow from the seed, or from chance.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        // The standard library seeds its hash maps from the system's randomness.
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one("riak-testkit"));
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] =
            sha1::digest(&[&seed.to_be_bytes()[..], b"actor"].concat());
        let actor = Actor::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        Self { seed, actor, names: 0, writes: 0, epochs: 0 }
    }

    /// The next write's place in vclocks.
    pub(crate) fn write(&mut self) -> Dot {
        self.writes += 1;
        Dot { actor: self.actor, counter: self.writes }
    }

    /// The actor of a data type that is new under its key: the node, and which of
    /// its new ones it is, as long as Riak's.
    pub(crate) fn epoch(&mut self) -> Epoch {
        self.epochs = self.epochs.wrapping_add(1);
        let mut epoch = [0; 12];
        epoch[..8].copy_from_slice(&self.actor.to_be_bytes());
        epoch[8..].copy_from_slice(&self.epochs.to_be_bytes());
        epoch
    }

    /// A key for an object that came without one: 160 bits in base 62, 27
    /// characters most of the time.
    pub(crate) fn key(&mut self) -> Blob {
        base62(&self.next()).into()
    }

    /// A vtag for a version: 128 bits in base 62, 22 characters most of the
    /// time.
    pub(crate) fn vtag(&mut self) -> Blob {
        base62(&self.next()[..16]).into()
    }

    fn next(&mut self) -> [u8; 20] {
        self.names += 1;
        sha1::digest(&[self.seed.to_be_bytes(), self.names.to_be_bytes()].concat())
    }
}

/// The big-endian number that these bytes are, in base 62.
fn base62(bytes: &[u8]) -> Vec<u8> {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            [.., *byte] = (value / 62).to_be_bytes();
            rest = value % 62;
        }
        digits.push(DIGITS[rest as usize]);
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::{Identities, base62};

    #[test]
    fn a_seed_gives_the_same_names_again() {
        let (mut one, mut two) = (Identities::new(Some(7)), Identities::new(Some(7)));
        assert_eq!(one.vtag(), two.vtag());
        assert_eq!(one.key(), two.key());
        assert_eq!(one.write(), two.write());
        assert_eq!(one.epoch(), two.epoch());
        assert_ne!(one.epoch(), one.epoch());
        assert_ne!(one.key(), one.key());
        assert_ne!(Identities::new(None).write(), Identities::new(None).write());
    }

    #[test]
    fn names_are_as_long_as_real_ones() {
        let mut names = Identities::new(Some(1));
        for _ in 0..100 {
            assert!((20..=22).contains(&names.vtag().len()));
            assert!((25..=27).contains(&names.key().len()));
        }
    }

    #[test]
    fn numbers_are_written_in_base_62() {
        assert_eq!(base62(&[61]), b"z");
        assert_eq!(base62(&[62]), b"10");
        assert_eq!(base62(&[1, 0]), b"48");
        assert_eq!(base62(&[0]), b"");
    }
}
