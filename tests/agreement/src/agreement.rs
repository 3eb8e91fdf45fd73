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
    let peer = |bytes: &[u8]| {
        peer::read(&descriptor, bytes)
            .unwrap_or_else(|error| panic!("the peer does not read {}: {error}", kind.name))
    };
    let theirs = peer(&plain);
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
    assert_eq!(peer(&disguised).bytes, theirs.bytes, "the peer, of {disguised:02x?}");
    for bytes in [&plain, &disguised, &theirs.bytes] {
        let written = ours(bytes).expect("it says the same");
        assert_eq!(peer(&written).bytes, theirs.bytes, "ours, of {bytes:02x?}");
    }
    if !wire::has_unknown(&fields) {
        // Nothing has a place of its own then: all write the same.
        assert_eq!(written, theirs.bytes);
        assert_eq!(written, plain);
        assert_eq!(ours(&disguised).as_ref(), Ok(&written), "{disguised:02x?}");
    }
}

/// Takes the first byte for a message of the schema, and the rest for its bytes:
/// what the peer reads is read here, and as the same.
///
/// # Panics
///
/// Where it is not.
pub fn check_bytes(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let kind = &KINDS[usize::from(*first) % KINDS.len()];
    let descriptor = peer::descriptor(kind.name);
    let Ok(theirs) = peer::read(&descriptor, bytes) else { return };
    // What a closed enum does not know is an unknown field here, and a value
    // there: they differ in which of several counts.
    if kind.body != Body::Fields || !theirs.known {
        return;
    }
    match kind.read(&Blob::from(bytes)) {
        Ok(written) => {
            assert!(theirs.whole, "{} is not whole: {bytes:02x?}", kind.name);
            let again = peer::read(&descriptor, &written).expect("ours is well-formed");
            assert!(!again.known || again.bytes == theirs.bytes, "{} of {bytes:02x?}", kind.name);
        }
        Err(error) => match error.kind() {
            DecodeErrorKind::MissingField { .. } => assert!(!theirs.whole, "{error}: {bytes:02x?}"),
            // Here is a limit of five bytes to a tag, and limits of depth and memory.
            DecodeErrorKind::InvalidTag | DecodeErrorKind::TooDeep | DecodeErrorKind::TooManyElements => {}
            _ => panic!("{error}, in what the peer reads: {bytes:02x?}"),
        },
    }
}
