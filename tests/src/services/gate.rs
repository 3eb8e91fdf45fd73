//! [`Gate`]: what a real node does with frames that the generated traits never
//! see.
//!
//! Invariant: every other frame goes through as it came.

use riak_client::MessageCode;
use riak_client::riak_dt::{DtFetchReq, DtUpdateReq};
use riak_client::riak_kv::{RpbCounterGetReq, RpbCounterGetResp, RpbDelReq, RpbGetReq, RpbGetResp};
use riak_client::riak_services::RpbDelResp;
use riak_runtime::operation::{Direction, ErrorFrame};
use riak_runtime::server::{Failure, Outbox, Service};
use riak_runtime::{Coded, DecodeErrorKind, Frame, Owned};

use crate::refusal::Refusal;

/// Requests of the generated traits that this node does not serve. Their
/// dispatchers would look at the body before they say so.
const UNSERVED: [u8; 7] = [70, 128, 129, 200, 202, 204, 253];

/// Empty fields of requests for data types, as they stand on the wire.
const NO_BUCKET: [u8; 2] = [0x0a, 0];
const NO_KEY: [u8; 2] = [0x12, 0];
const NO_OPERATION: [u8; 2] = [0x2a, 0];

/// The node's services, behind the behaviour of its frames.
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
        // The node does not insist on required fields. What it looks for under
        // a name that is not there, it does not find.
        if request.code == RpbGetReq::CODE && lacks_a_field::<RpbGetReq>(&request) {
            return outbox.answer(&RpbGetResp::default());
        }
        if request.code == RpbDelReq::CODE && lacks_a_field::<RpbDelReq>(&request) {
            return outbox.answer(&RpbDelResp::default());
        }
        if request.code == RpbCounterGetReq::CODE && lacks_a_field::<RpbCounterGetReq>(&request) {
            return outbox.answer(&RpbCounterGetResp::default());
        }
        // Data types are looked for by their type, which has to be there, and so has
        // the bucket of an update: a crash otherwise.
        let request = match request.code {
            DtFetchReq::CODE => completed::<DtFetchReq>(request, &[&NO_BUCKET, &NO_KEY])?,
            DtUpdateReq::CODE => completed::<DtUpdateReq>(request, &[&NO_OPERATION])?,
            _ => request,
        };
        self.0.call(request, outbox).await
    }
}

/// The answer whose code was sent as a request's, if it lies among those that a
/// node's services have registered: a service then gets what it cannot process.
/// Others are unknown codes.
fn answer_sent_as_request(code: u8) -> Option<MessageCode> {
    if !matches!(code, 1..=34 | 40..=41 | 50..=53 | 80..=83 | 202..=231) || matches!(code, 27..=28) {
        return None;
    }
    MessageCode::try_from(code).ok().filter(|code| code.direction() == Direction::Response)
}

/// Whether a request is well-formed but for a required field. One without any
/// body at all is not: the node takes it for another message.
fn lacks_a_field<M: Owned>(request: &Frame) -> bool {
    let missing = |kind: &DecodeErrorKind| matches!(kind, DecodeErrorKind::MissingField { .. });
    !request.body.is_empty() && request.decode::<M>().is_err_and(|error| missing(error.kind()))
}

/// The request with fields before it that it may lack: what it has itself comes
/// later, and counts. A nested message that is there is merged with nothing.
///
/// # Errors
///
/// [`Refusal::Crash`] if it lacks something else.
fn completed<M: Owned>(request: Frame, fields: &[&[u8]]) -> Result<Frame, Refusal> {
    if !lacks_a_field::<M>(&request) {
        return Ok(request);
    }
    let completed = Frame { code: request.code, body: [&fields.concat(), &*request.body].concat().into() };
    if lacks_a_field::<M>(&completed) {
        return Err(Refusal::no_clause("riak_kv_pb_crdt", "process", "undefined"));
    }
    Ok(completed)
}

#[cfg(test)]
mod tests {
    use super::answer_sent_as_request;

    #[test]
    fn only_answers_of_registered_services_are_taken_for_such() {
        for code in [2, 10, 18, 26, 34, 81, 222] {
            assert!(answer_sent_as_request(code).is_some(), "{code}");
        }
        for code in [0, 1, 9, 28, 42, 55, 91, 199, 201, 254, 255] {
            assert!(answer_sent_as_request(code).is_none(), "{code}");
        }
    }
}
