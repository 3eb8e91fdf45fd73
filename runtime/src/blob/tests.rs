//! Blobs around the limits of their representations: inline, shared and static.
//!
//! Invariant: no operation changes the bytes of a blob.

use super::*;

#[test]
fn every_length_around_the_inline_limit_round_trips() {
    let source: Vec<u8> = (0..=255).collect();
    for len in 0..=source.len() {
        let blob = Blob::copy_from_slice(&source[..len]);
        assert_eq!(blob.as_slice(), &source[..len]);
        assert_eq!(blob.as_inline().is_some(), len <= INLINE);
        let copy = blob.clone();
        drop(blob);
        assert_eq!(copy.as_slice(), &source[..len]);
        assert_eq!(copy.into_heap().as_slice(), &source[..len]);
    }
}

#[test]
fn inline_from_ignores_trailing_bytes() {
    let source = *b"0123456789abcdefghijklmn";
    for len in 0..=INLINE {
        // SAFETY: the source has 24 bytes.
        let blob = unsafe { Blob::inline_from(source.as_ptr(), len) };
        assert_eq!(blob.as_slice(), &source[..len]);
    }
}

#[test]
fn long_slices_share_and_short_ones_do_not() {
    let blob = Blob::from(vec![7; 4096]);
    let half = blob.slice(2048..);
    assert_eq!(half.as_ptr(), blob[2048..].as_ptr());
    assert_ne!(blob.slice(..511).as_ptr(), blob.as_ptr());
    // Long enough to be shared, but it would keep eight times its size alive.
    let wide = Blob::from(vec![7; 8192]);
    assert_ne!(wide.slice(..1024).as_ptr(), wide.as_ptr());
    drop(blob);
    assert_eq!(half.as_slice(), &[7; 2048]);
}

#[test]
fn into_vec_gives_an_allocation_back_to_its_only_owner() {
    let vec = vec![b'v'; 1000];
    let start = vec.as_ptr();
    let blob = Blob::from(vec);
    // Of two owners, neither may have it.
    let shared = blob.clone();
    let copy = shared.into_vec();
    assert!(copy == *blob && copy.as_ptr() != start);
    // A slice that begins further on is copied, and one at the start is not.
    let copy = blob.slice(1..).into_vec();
    assert!(copy == blob[1..] && copy.as_ptr() != start);
    let prefix = blob.slice(..600);
    drop(blob);
    let vec = prefix.into_vec();
    assert_eq!((vec.as_ptr(), vec.len()), (start, 600));
    for other in [Blob::from_static(&[7; 600]), Blob::copy_from_slice(&[7; 600]), Blob::from(&[7; 3][..])] {
        assert_eq!(other.clone().into_vec(), *other);
    }
}

#[test]
fn compact_keeps_no_more_memory_than_needed() {
    let page = Blob::copy_from_slice(&[b'p'; 1000]);
    let (start, slice) = (page.as_ptr(), page.slice(..600));
    assert_eq!(slice.as_ptr(), start);
    let compact = slice.compact();
    assert!(compact == page[..600] && compact.as_ptr() != start);
    // Nothing is copied that is compact already.
    assert_eq!(page.compact().as_ptr(), start);
    let bytes: &'static [u8] = &[7; 600];
    assert_eq!(Blob::from_static(bytes).compact().as_ptr(), bytes.as_ptr());
    // A frame's body is part of a read block.
    let mut buffer = ReadBuffer::new(16_384);
    buffer.spare(100)[..100].fill(b'f');
    buffer.advance(100);
    let body = buffer.take(100);
    let start = body.as_ptr();
    let body = body.compact();
    assert!(body == [b'f'; 100] && body.as_ptr() != start);
}

#[test]
fn static_bytes_are_not_copied() {
    static TEXT: &[u8] = b"application/x-erlang-binary";
    let blob = Blob::from_static(TEXT);
    assert_eq!(blob.as_ptr(), TEXT.as_ptr());
    assert_eq!(blob.clone().as_ptr(), TEXT.as_ptr());
    assert_eq!(blob.slice(12..), b"x-erlang-binary"[..]);
}

#[test]
fn sharing_a_foreign_slice_copies_it() {
    let blob = Blob::from(vec![1; 1000]);
    let foreign = vec![2; 1000];
    assert_eq!(blob.share(&foreign), foreign[..]);
}
