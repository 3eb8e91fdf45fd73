//! [`Gate`]: the handling of frames that the generated traits never see, as a real
//! node does it.
//!
//! Invariant: every other frame passes through unchanged.

use riak_client::MessageCode;
use riak_client::riak_dt::{DtFetchReq, DtUpdateReq};
use riak_client::riak_kv::{RpbCounterGetReq, RpbCounterGetResp, RpbDelReq, RpbGetReq, RpbGetResp};
use riak_client::riak_services::RpbDelResp;
use riak_runtime::operation::{Direction, ErrorFrame};
use riak_runtime::server::{Failure, Outbox, Service};
use riak_runtime::{Coded, DecodeErrorKind, Frame, Owned};

use crate::refusal::Refusal;

/// Codes of the generated traits that this node does not serve. They are listed
/// because a dispatcher decodes the body before it refuses the request.
const UNSERVED: [u8; 7] = [70, 128, 129, 200, 202, 204, 253];

/// Empty fields of data type requests, as they are encoded on the wire.
const NO_BUCKET: [u8; 2] = [0x0a, 0];
const NO_KEY: [u8; 2] = [0x12, 0];
const NO_OPERATION: [u8; 2] = [0x2a, 0];

/// A filter for frames in front of the node's services.
#[derive(Debug)]
pub(super) struct Gate<S>(pub(super) S);

impl<S: Service> Service for Gate<S> {
    fn serves(&self, code: u8) -> bool {
        (self.0.serves(code) && !UNSERVED.contains(&code)) || answer_sent_as_request(code).is_some()
    }

    fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame> {
        self.0.error_frame(code)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        if let Some(answer) = answer_sent_as_request(request.code) {
            let name = answer.name().to_ascii_lowercase();
            return Err(Refusal::no_clause("riak_api_pb_service", "process", &name).into());
        }
        // A real node does not insist on required fields: without a bucket or a
        // key, it finds nothing.
        if request.code == RpbGetReq::CODE && lacks_required_field::<RpbGetReq>(&request) {
            return outbox.answer(&RpbGetResp::default());
        }
        if request.code == RpbDelReq::CODE && lacks_required_field::<RpbDelReq>(&request) {
            return outbox.answer(&RpbDelResp::default());
        }
        if request.code == RpbCounterGetReq::CODE && lacks_required_field::<RpbCounterGetReq>(&request) {
            return outbox.answer(&RpbCounterGetResp::default());
        }
        // A data type request must have a type, and an update must have a bucket
        // as well. Without them, the process crashes.
        let request = match request.code {
            DtFetchReq::CODE => completed::<DtFetchReq>(request, &[&NO_BUCKET, &NO_KEY])?,
            DtUpdateReq::CODE => completed::<DtUpdateReq>(request, &[&NO_OPERATION])?,
            _ => request,
        };
        self.0.call(request, outbox).await
    }
}

/// Returns the answer whose code was sent as a request's code, if a node's services
/// have registered that code: the service then gets a message that it cannot
/// process. Any other answer's code is unknown.
fn answer_sent_as_request(code: u8) -> Option<MessageCode> {
    if !matches!(code, 1..=34 | 40..=41 | 50..=53 | 80..=83 | 202..=231) || matches!(code, 27..=28) {
        return None;
    }
    MessageCode::try_from(code).ok().filter(|code| code.direction() == Direction::Response)
}

/// Reports whether a request lacks a required field and is otherwise well-formed. An
/// empty body does not count: the node takes such a request for another message.
fn lacks_required_field<M: Owned>(request: &Frame) -> bool {
    let missing = |kind: &DecodeErrorKind| matches!(kind, DecodeErrorKind::MissingField { .. });
    !request.body.is_empty() && request.decode::<M>().is_err_and(|error| missing(error.kind()))
}

/// Prepends `fields`, which the request may lack. Fields of the request itself come
/// later and take precedence; a nested message is merged with an empty one.
///
/// # Errors
///
/// [`Refusal::Crash`] if it lacks any other required field.
fn completed<M: Owned>(request: Frame, fields: &[&[u8]]) -> Result<Frame, Refusal> {
    if !lacks_required_field::<M>(&request) {
        return Ok(request);
    }
    let completed = Frame { code: request.code, body: [&fields.concat(), &*request.body].concat().into() };
    if lacks_required_field::<M>(&completed) {
        return Err(Refusal::no_clause("riak_kv_pb_crdt", "process", "undefined"));
    }
    Ok(completed)
}

#[cfg(test)]
mod tests {
    use super::answer_sent_as_request;

    #[test]
    fn only_codes_of_registered_services_count_as_answers() {
        for code in [2, 10, 18, 26, 34, 81, 222] {
            assert!(answer_sent_as_request(code).is_some(), "{code}");
        }
        for code in [0, 1, 9, 28, 42, 55, 91, 199, 201, 254, 255] {
            assert!(answer_sent_as_request(code).is_none(), "{code}");
        }
    }
}
