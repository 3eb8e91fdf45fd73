//! Random messages are the same here as in an independent implementation.
//!
//! Invariant: of each message that is made up there is a plain form and a
//! disguised one, and both implementations read both.

use riak_runtime::{Blob, DecodeErrorKind};

use crate::kinds::{Body, KINDS, Kind};
use crate::sample::Sampler;
use crate::tape::Tape;
use crate::{peer, wire};

/// The names of all messages of the schema, as `protoc` lists them.
#[must_use]
pub fn schema() -> Vec<String> {
    peer::names()
}

/// Takes the first byte for a message of the schema, and the rest for what is
/// chosen where one is made up.
///
/// # Panics
///
/// As [`check_kind`] does.
pub fn check(data: &[u8]) {
    if let Some((first, tape)) = data.split_first() {
        check_kind(&KINDS[usize::from(*first) % KINDS.len()], tape);
    }
}

/// Makes up a message of this kind, and holds ours and theirs against one
/// another.
///
/// # Panics
///
/// Where they differ.
pub fn check_kind(kind: &Kind, tape: &[u8]) {
    if kind.body != Body::Fields {
        return;
    }
    let descriptor = peer::descriptor(kind.name);
    let mut tape = Tape::new(tape);
    let fields = Sampler::new(&mut tape).message(&descriptor);
    let plain = wire::plain(&fields);
    let disguised = wire::disguised(&fields, &mut tape);
    let theirs = peer::read(&descriptor, &plain);
    let ours = |bytes: &[u8]| kind.read(&Blob::from(bytes));

    let missing = [&plain, &disguised].map(|bytes| match ours(bytes) {
        Ok(_) => false,
        Err(error) if matches!(error.kind(), DecodeErrorKind::MissingField { .. }) => true,
        Err(error) => panic!("{error}, in what the peer reads: {bytes:02x?}"),
    });
    assert_eq!(missing, [!theirs.whole; 2], "required fields of {plain:02x?} and of {disguised:02x?}");
    if !theirs.whole {
        return;
    }

    let written = ours(&plain).expect("as was just seen");
    assert_eq!(ours(&written).as_ref(), Ok(&written), "written, read, and written differently");
    assert_eq!(peer::read(&descriptor, &disguised).bytes, theirs.bytes, "the peer, of {disguised:02x?}");
    for bytes in [&plain, &disguised, &theirs.bytes] {
        let written = ours(bytes).expect("it says the same");
        assert_eq!(peer::read(&descriptor, &written).bytes, theirs.bytes, "ours, of {bytes:02x?}");
    }
    if !wire::has_unknown(&fields) {
        // Nothing has a place of its own then: all write the same.
        assert_eq!(written, theirs.bytes);
        assert_eq!(written, plain);
        assert_eq!(ours(&disguised).as_ref(), Ok(&written), "{disguised:02x?}");
    }
}
