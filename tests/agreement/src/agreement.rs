//! Property: random messages are read and written as by an independent implementation.
//!
//! Invariant: each random message is encoded in canonical and in non-canonical form, and both
//! implementations decode both.

use riak_runtime::{Blob, DecodeErrorKind};

use crate::choices::Choices;
use crate::kinds::{Body, KINDS, Kind};
use crate::sample::Sampler;
use crate::{peer, wire};

/// Returns the names of all messages of the schema, as `protoc` lists them.
#[must_use]
pub fn schema() -> Vec<String> {
    peer::names()
}

/// Checks a random message. The first byte selects the message type, and the rest are the
/// random choices.
///
/// # Panics
///
/// As [`check_kind`] does.
pub fn check(data: &[u8]) {
    if let Some((first, choices)) = data.split_first() {
        check_kind(&KINDS[usize::from(*first) % KINDS.len()], choices);
    }
}

/// Makes a random message of this kind, and compares both implementations.
///
/// # Panics
///
/// If they differ.
pub fn check_kind(kind: &Kind, choices: &[u8]) {
    if kind.body != Body::Fields {
        return;
    }
    let descriptor = peer::descriptor(kind.name);
    let mut choices = Choices::new(choices);
    let fields = Sampler::new(&mut choices).message(&descriptor);
    let canonical = wire::canonical(&fields);
    let non_canonical = wire::non_canonical(&fields, &mut choices);
    let peer = |bytes: &[u8]| {
        peer::read(&descriptor, bytes)
            .unwrap_or_else(|error| panic!("the peer does not read {}: {error}", kind.name))
    };
    let peer_result = peer(&canonical);
    let ours = |bytes: &[u8]| kind.read(&Blob::from(bytes));

    let missing = [&canonical, &non_canonical].map(|bytes| match ours(bytes) {
        Ok(_) => false,
        Err(error) if matches!(error.kind(), DecodeErrorKind::MissingField { .. }) => true,
        Err(error) => panic!("{error}, in what the peer reads: {bytes:02x?}"),
    });
    assert_eq!(
        missing, [!peer_result.complete; 2],
        "required fields of {canonical:02x?} and of {non_canonical:02x?}"
    );
    if !peer_result.complete {
        return;
    }

    let written = ours(&canonical).expect("as was just seen");
    assert_eq!(ours(&written).as_ref(), Ok(&written), "written, read, and written differently");
    assert_eq!(peer(&non_canonical).bytes, peer_result.bytes, "the peer, of {non_canonical:02x?}");
    for bytes in [&canonical, &non_canonical, &peer_result.bytes] {
        let written = ours(bytes).expect("it says the same");
        assert_eq!(peer(&written).bytes, peer_result.bytes, "ours, of {bytes:02x?}");
    }
    if !wire::has_unknown(&fields) {
        // Without unknown fields, the order is fixed, and all encoders write the same bytes.
        assert_eq!(written, peer_result.bytes);
        assert_eq!(written, canonical);
        assert_eq!(ours(&non_canonical).as_ref(), Ok(&written), "{non_canonical:02x?}");
    }
}

/// Checks arbitrary bytes: what the peer decodes is decoded here as the same message. The
/// first byte selects the message type, and the rest are its bytes.
///
/// # Panics
///
/// If it is not.
pub fn check_bytes(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let kind = &KINDS[usize::from(*first) % KINDS.len()];
    let descriptor = peer::descriptor(kind.name);
    let Ok(peer_result) = peer::read(&descriptor, bytes) else { return };
    // A number that a closed enum lacks is an unknown field here and a value there, so the
    // two may differ in which of several values is the last.
    if kind.body != Body::Fields || !peer_result.has_known_enums {
        return;
    }
    match kind.read(&Blob::from(bytes)) {
        Ok(written) => {
            assert!(peer_result.complete, "{} is not complete: {bytes:02x?}", kind.name);
            let again = peer::read(&descriptor, &written).expect("ours is well-formed");
            assert!(
                !again.has_known_enums || again.bytes == peer_result.bytes,
                "{} of {bytes:02x?}",
                kind.name
            );
        }
        Err(error) => match error.kind() {
            DecodeErrorKind::MissingField { .. } => assert!(!peer_result.complete, "{error}: {bytes:02x?}"),
            // This implementation limits tags to five bytes, and limits depth and memory.
            DecodeErrorKind::InvalidTag | DecodeErrorKind::TooDeep | DecodeErrorKind::TooManyElements => {}
            _ => panic!("{error}, in what the peer reads: {bytes:02x?}"),
        },
    }
}
