//! Conversions from and into [`Blob`], and its comparison and formatting traits.
//!
//! Invariant: equality, order and hash are those of the bytes, so that a blob can be
//! looked up by `&[u8]`.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::ManuallyDrop;

use super::block::Block;
use super::{Blob, INLINE};

impl Blob {
    /// Returns the bytes as a vector.
    ///
    /// A blob that was made from a vector, and that shares its bytes with no other blob,
    /// gives back the vector's allocation, unless the blob is a slice that begins further
    /// on. Any other blob is copied, such as every decoded one.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        let Some(heap) = self.as_heap().filter(|heap| !heap.owner.0.is_null()) else { return self.to_vec() };
        if heap.borrow_block().data().as_ptr().cast_const() != heap.start.0 {
            return self.to_vec();
        }
        let blob = ManuallyDrop::new(self);
        // SAFETY: the owner came from a `Block`. The blob's count passes to the new
        // block, since the blob is not dropped.
        let block = unsafe { Block::from_raw(heap.owner.0) };
        // SAFETY: the blob covers the first bytes of the block, which are initialised.
        // If the block comes back, the bytes are read while it holds its count.
        unsafe { block.into_vec(heap.len()) }.unwrap_or_else(|_block| blob.as_slice().to_vec())
    }

    /// Returns the same bytes in an allocation that holds no others, so that keeping them
    /// keeps no more memory alive. They are copied if they are part of a larger one.
    ///
    /// ```
    /// use riak_runtime::Blob;
    ///
    /// let page = Blob::from(vec![b'x'; 4096]);
    /// let line = page.slice(..1024);
    /// assert_eq!(line.as_ptr(), page.as_ptr());
    /// let line = line.compact();
    /// assert_ne!(line.as_ptr(), page.as_ptr());
    /// ```
    #[must_use]
    pub fn compact(self) -> Self {
        let owned = self.as_heap().filter(|heap| !heap.owner.0.is_null());
        let is_part = owned.is_some_and(|heap| heap.borrow_block().capacity() != heap.len());
        if is_part { Self::copy_from_slice(&self) } else { self }
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self::copy_from_slice(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Blob {
    fn from(bytes: &[u8; N]) -> Self {
        Self::copy_from_slice(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Blob {
    fn from(bytes: [u8; N]) -> Self {
        Self::copy_from_slice(&bytes)
    }
}

impl From<&str> for Blob {
    fn from(text: &str) -> Self {
        Self::copy_from_slice(text.as_bytes())
    }
}

impl From<&Blob> for Blob {
    fn from(blob: &Blob) -> Self {
        blob.clone()
    }
}

impl From<&String> for Blob {
    fn from(text: &String) -> Self {
        Self::copy_from_slice(text.as_bytes())
    }
}

impl From<&Vec<u8>> for Blob {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::copy_from_slice(bytes)
    }
}

/// Takes over the allocation of a vector of more than 23 bytes instead of copying it.
impl From<Vec<u8>> for Blob {
    fn from(vec: Vec<u8>) -> Self {
        let len = vec.len();
        if len <= INLINE {
            return Self::copy_from_slice(&vec);
        }
        let block = Block::from_vec(vec);
        let start = block.data().as_ptr();
        Self::heap(block.into_raw(), start, len)
    }
}

impl From<Box<[u8]>> for Blob {
    fn from(bytes: Box<[u8]>) -> Self {
        Self::from(bytes.into_vec())
    }
}

impl From<String> for Blob {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<Cow<'_, [u8]>> for Blob {
    fn from(bytes: Cow<'_, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => Self::copy_from_slice(bytes),
            Cow::Owned(vec) => Self::from(vec),
        }
    }
}

impl From<Cow<'_, str>> for Blob {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<Blob> for Vec<u8> {
    fn from(blob: Blob) -> Self {
        blob.into_vec()
    }
}

impl FromIterator<u8> for Blob {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        Self::from(bytes.into_iter().collect::<Vec<u8>>())
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Blob {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Blob {}

impl PartialOrd for Blob {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Blob {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl Hash for Blob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

/// Implements equality between `Blob` and another byte type, in both directions.
macro_rules! equals {
    ($($other:ty),* $(,)?) => {$(
        impl PartialEq<$other> for Blob {
            fn eq(&self, other: &$other) -> bool {
                self.as_slice() == AsRef::<[u8]>::as_ref(other)
            }
        }

        impl PartialEq<Blob> for $other {
            fn eq(&self, other: &Blob) -> bool {
                other == self
            }
        }
    )*};
}

equals! {
    [u8],
    &[u8],
    Vec<u8>,
    str,
    &str,
    String,
}

impl<const N: usize> PartialEq<[u8; N]> for Blob {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Blob {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_slice() == *other
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::debug::Bytes(self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn is_found_by_slice() {
        let map: HashMap<Blob, u32> = [(Blob::from("alice"), 1)].into();
        assert_eq!(map.get(&b"alice"[..]), Some(&1));
    }

    #[test]
    fn compares_as_its_bytes() {
        let [a, aa, b] = ["a", "aa", "b"].map(Blob::from);
        assert!(a < aa && aa < b);
        assert_eq!(Blob::from("text"), "text");
        assert_eq!(Blob::from(vec![0; 30]), vec![0; 30]);
        assert_ne!(Blob::from("x"), "y");
        assert_eq!(Blob::from(String::from("x")), Cow::Borrowed("x").into_owned());
    }
}
