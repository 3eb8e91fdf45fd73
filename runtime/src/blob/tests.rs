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
