//! Riak's messages as derived types, which a build script declares from the schemas that
//! the client is generated from.
//!
//! Invariant: twins are compared by their encoded bytes, and by their decoding errors, so
//! no `PartialEq` implementation has to be trusted.

use riak_runtime::{Blob, Decode, Message, Owned, View};

/// A message that exists twice: as a derived and as a generated type.
#[derive(Clone, Copy, Debug)]
pub struct Twin {
    /// The name in the schema.
    pub name: &'static str,
    /// The message code, if it is a frame.
    pub code: Option<u8>,
    /// Decodes bytes as the derived type.
    pub derived: fn(&Blob) -> [Reading; 4],
    /// Decodes bytes as the generated type.
    pub generated: fn(&Blob) -> [Reading; 4],
}

/// The bytes that a decoded message is encoded to, or the error of decoding it.
pub type Reading = Result<Vec<u8>, String>;

impl Twin {
    /// Decodes bytes in every way as both types, and encodes the results again.
    ///
    /// # Errors
    ///
    /// If neither type can decode the bytes.
    ///
    /// # Panics
    ///
    /// If the two types differ.
    pub fn check(&self, bytes: &Blob) -> Reading {
        let [derived, generated] = [(self.derived)(bytes), (self.generated)(bytes)];
        assert_eq!(derived, generated, "{}, read from {bytes:?}", self.name);
        let [owned, shared, borrowed, converted] = derived;
        assert_eq!(owned, shared, "{}, read from {bytes:?}", self.name);
        assert_eq!(owned, borrowed, "{}, read from {bytes:?}", self.name);
        assert_eq!(owned, converted, "{}, read from {bytes:?}", self.name);
        owned
    }
}

/// Pairs a derived type with a generated one.
#[must_use]
pub const fn twin<D, G>(name: &'static str, code: Option<u8>) -> Twin
where
    D: Owned,
    G: Owned,
    for<'a> D::Ref<'a>: View<Owned = D>,
    for<'a> G::Ref<'a>: View<Owned = G>,
{
    Twin { name, code, derived: readings::<D>, generated: readings::<G> }
}

/// Decodes bytes as an owned message, as one that shares the bytes, as a borrowed one, and
/// as a borrowed one that is then converted.
fn readings<M>(bytes: &Blob) -> [Reading; 4]
where
    M: Owned,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    // A derived type may have the package of its schema in its name.
    let (package, _) = M::NAME.split_at(M::NAME.find(char::is_uppercase).unwrap_or_default());
    let reading = |result: Result<Vec<u8>, riak_runtime::DecodeError>| {
        let text = |error: riak_runtime::DecodeError| error.to_string();
        result
            .map_err(|error| if package.is_empty() { text(error) } else { text(error).replace(package, "") })
    };
    [
        reading(M::decode(bytes).map(|message| message.encode_to_vec())),
        reading(M::decode_blob(bytes).map(|message| message.encode_to_vec())),
        reading(M::Ref::decode(bytes).map(|view| view.encode_to_vec())),
        reading(M::Ref::decode(bytes).map(|view| view.owned().encode_to_vec())),
    ]
}

#[expect(missing_docs, reason = "fields say what they are by their names")]
pub mod own;

/// The code generated from the schemas that the types of [`own`] are printed as.
pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated/mod.rs"));
}

/// The derived types.
#[allow(missing_docs, non_camel_case_types, clippy::all, clippy::pedantic, reason = "named as in the schema")]
pub mod derived {
    use riak_runtime::schema::Schema;
    use riak_runtime::{Blob, Quorum, RiakMessage, wire};

    use super::{Twin, twin};

    include!(concat!(env!("OUT_DIR"), "/derived.rs"));
}
