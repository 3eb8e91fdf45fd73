//! The answer to a request: its message, decoded and encoded again.
//!
//! Invariant: all ways to decode a form agree, or the answer is an error, which the suite
//! counts as a failure.

use riak_runtime::{Blob, Decode, Message, Owned, View};

use crate::derived;
use crate::suite::conformance::conformance::conformance_request::Payload;
use crate::suite::conformance::conformance::conformance_response::Result as Answer;
use crate::suite::conformance::conformance::{ConformanceRequest, FailureSet, WireFormat};
use crate::suite::conformance::messages::{
    test_messages_edition2023, test_messages_proto2, test_messages_proto2_editions, test_messages_proto3,
    test_messages_proto3_editions,
};

/// The type that a message is decoded as.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Use the borrowed form instead of the owned one.
    pub(crate) borrowed: bool,
    /// Use a derived type instead of a generated one.
    pub(crate) derived: bool,
}

/// A function that decodes bytes as a message and encodes it again.
type RoundTrip = fn(&Blob, bool) -> Answer;

/// The messages that the suite uses.
const MESSAGES: &[(&str, RoundTrip)] = &[
    entry::<FailureSet>(),
    entry::<test_messages_proto2::TestAllTypesProto2>(),
    entry::<test_messages_proto3::TestAllTypesProto3>(),
    entry::<test_messages_edition2023::TestAllTypesEdition2023>(),
    entry::<test_messages_proto2_editions::TestAllTypesProto2>(),
    entry::<test_messages_proto3_editions::TestAllTypesProto3>(),
];

/// The messages of proto2 and proto3 as derived types, and the others as generated types.
const DERIVED: &[(&str, RoundTrip)] = &[
    entry::<FailureSet>(),
    entry::<derived::protobuf_test_messages_proto2_TestAllTypesProto2>(),
    entry::<derived::protobuf_test_messages_proto3_TestAllTypesProto3>(),
    entry::<test_messages_edition2023::TestAllTypesEdition2023>(),
    entry::<test_messages_proto2_editions::TestAllTypesProto2>(),
    entry::<test_messages_proto3_editions::TestAllTypesProto3>(),
];

const fn entry<M>() -> (&'static str, RoundTrip)
where
    M: Owned,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    (M::NAME, round_trip::<M>)
}

/// Returns the answer to a request.
pub(crate) fn answer(request: &ConformanceRequest, options: Options) -> Answer {
    let name = request.message_type.as_str();
    if name.starts_with("protobuf_test_messages.edition_unstable.") {
        return Answer::Skipped("what no edition has settled is not generated".to_owned());
    }
    let Some(Payload::ProtobufPayload(payload)) = &request.payload else {
        return Answer::Skipped("only the binary format is read".to_owned());
    };
    if request.requested_output_format != WireFormat::PROTOBUF {
        return Answer::Skipped("only the binary format is written".to_owned());
    }
    let messages = if options.derived { DERIVED } else { MESSAGES };
    match messages.iter().find(|(known, _)| *known == name) {
        Some((_, round_trip)) => round_trip(payload, options.borrowed),
        None => Answer::RuntimeError(format!("no message {name} was generated")),
    }
}

fn round_trip<M>(payload: &Blob, borrowed: bool) -> Answer
where
    M: Owned,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    let written = if borrowed {
        let view = M::Ref::decode(payload);
        let owned = view.as_ref().map(View::owned).map_err(Clone::clone);
        encode_both(view, owned)
    } else {
        encode_both(M::decode(payload), M::decode_blob(payload))
    };
    written.unwrap_or_else(Answer::RuntimeError)
}

/// Encodes a message that was decoded in two ways, or describes how the results differ.
fn encode_both<E: ToString>(
    first: Result<impl Message, E>,
    second: Result<impl Message, E>,
) -> Result<Answer, String> {
    let [first, second] = [
        first.map(|message| message.encode_to_vec()).map_err(|error| error.to_string()),
        second.map(|message| message.encode_to_vec()).map_err(|error| error.to_string()),
    ];
    if first != second {
        return Err(format!("two ways to read the same bytes differ: {first:02x?} and {second:02x?}"));
    }
    Ok(match first {
        Ok(bytes) => Answer::ProtobufPayload(bytes.into()),
        Err(error) => Answer::ParseError(error),
    })
}
