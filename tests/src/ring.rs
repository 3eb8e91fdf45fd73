//! [`Ring`]: which partitions hold a key, and which ones a scan asks.
//!
//! Invariant: keys are placed by Riak's standard hash, so preference lists and the
//! parts of a scan's results are those of a real node.

use crate::erlang::term::Term;
use crate::sha1;

/// The bucket type of a request that names none.
pub(crate) const DEFAULT_TYPE: &[u8] = b"default";

/// The ring of partitions, all of which belong to this node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    partitions: u32,
}

impl Ring {
    /// Creates a ring of this size, rounded up to a power of two.
    pub(crate) fn new(size: u32) -> Self {
        Self { partitions: size.next_power_of_two().max(1) }
    }

    /// Returns the partitions that hold this key, in the order of preference.
    pub(crate) fn preflist(self, kind: &[u8], bucket: &[u8], key: &[u8], n_val: u32) -> Vec<u32> {
        let first = self.first_partition(kind, bucket, key);
        (0..n_val.min(self.partitions)).map(|step| (first + step) % self.partitions).collect()
    }

    /// Returns the partition after the point of the ring that the key hashes to.
    fn first_partition(self, kind: &[u8], bucket: &[u8], key: &[u8]) -> u32 {
        let bucket = Term::binary(bucket);
        let typed_bucket = if kind == DEFAULT_TYPE { bucket } else { Term::pair(Term::binary(kind), bucket) };
        let hash = sha1::digest(&Term::pair(typed_bucket, Term::binary(key)).encode());
        let top = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        // The high bits of the hash select a partition. A ring of 1 uses none of them.
        let index = top.checked_shr(32 - self.partitions.trailing_zeros()).unwrap_or(0);
        (index + 1) % self.partitions
    }

    /// Returns how many partitions a scan asks, so that it sees each key once.
    pub(crate) fn scan_parts(self, n_val: u32) -> u32 {
        self.partitions.div_ceil(n_val.clamp(1, self.partitions))
    }

    /// Returns the part of a scan that contains this key. `offset` rotates the choice
    /// of partitions, which differs from scan to scan.
    pub(crate) fn scan_part(self, kind: &[u8], bucket: &[u8], key: &[u8], n_val: u32, offset: u32) -> u32 {
        let first = self.first_partition(kind, bucket, key);
        (first + offset % self.partitions) % self.partitions / n_val.clamp(1, self.partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_TYPE, Ring};

    #[test]
    fn keys_are_placed_as_by_a_real_node() {
        // Recorded from a ring of 8.
        assert_eq!(Ring::new(8).preflist(DEFAULT_TYPE, b"golden", b"k1", 3), [2, 3, 4]);
    }

    #[test]
    fn preflists_wrap_and_fit_the_ring() {
        for size in [1, 2, 64] {
            for key in 0..200_u32 {
                let list = Ring::new(size).preflist(b"t", b"b", &key.to_be_bytes(), 3);
                assert_eq!(list.len(), size.min(3) as usize);
                assert!(list.windows(2).all(|pair| (pair[0] + 1) % size == pair[1]));
            }
        }
    }

    #[test]
    fn every_key_is_in_one_part_of_a_scan() {
        let ring = Ring::new(8);
        assert_eq!(ring.scan_parts(3), 3);
        for offset in 0..9 {
            let mut found = [0; 3];
            for key in 0..100_u32 {
                found[ring.scan_part(DEFAULT_TYPE, b"b", &key.to_be_bytes(), 3, offset) as usize] += 1;
            }
            assert!(found.iter().all(|keys| *keys > 0), "{found:?}");
        }
    }
}
