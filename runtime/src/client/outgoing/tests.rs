//! Encoded requests.
//!
//! Invariant: frames are compared byte by byte.

use super::*;
use crate::operation::Absent;

/// An operation that streams if the request asks for it.
pub(in crate::client) static CONDITIONAL: Operation = Operation {
    name: "Test.Index",
    request: 25,
    response: 26,
    alternatives: &[],
    error: None,
    mode: Mode::Conditional { end: StreamEnd { field: 4, when_absent: false }, stream_if: 2000 },
    cost: Cost::Unary,
    retry: Retry::Safe,
    absent: Absent::Defaults,
    bodyless: false,
    handshake: false,
    since: None,
    served_by: None,
    timeout: None,
};

#[test]
fn a_conditional_request_sets_its_stream_field() {
    let body = Blob::from("\x0a\x01b");
    let mut out = WriteBuffer::new();
    Outgoing::raw_unary(&CONDITIONAL, &body).encode(&mut out, Instant::now()).unwrap();
    assert_eq!(out.to_vec(), [0, 0, 0, 7, 25, 0x0a, 1, b'b', 0x80, 0x7d, 0]);
    let stream = Outgoing::raw_stream(&CONDITIONAL, &body);
    let mut out = WriteBuffer::new();
    stream.encode(&mut out, Instant::now()).unwrap();
    assert_eq!(out.to_vec()[8..], [0x80, 0x7d, 1]);
    assert!(stream.is_exclusive() && !Outgoing::raw_unary(&CONDITIONAL, &body).is_exclusive());
}

#[test]
fn two_fields_fit_whatever_their_numbers() {
    let mut fields = Fields::default();
    fields.push(1, 1);
    assert_eq!(fields.bytes(), [8, 1]);
    fields.len = 0;
    fields.push(u32::MAX >> 3, u64::MAX);
    fields.push(u32::MAX >> 3, u64::MAX);
    assert_eq!(fields.bytes().len(), 30);
}

#[test]
fn the_server_is_told_the_deadline_unless_the_request_sets_a_timeout() {
    let operation = Operation { timeout: Some(9), ..CONDITIONAL.clone() };
    let operation: &'static Operation = Box::leak(Box::new(operation));
    let (body, now) = (Blob::new(), Instant::now());
    let mut request = Outgoing::raw_unary(operation, &body);
    request.has_server_timeout = false;
    let sent = |request: Outgoing<'_>| {
        let mut out = WriteBuffer::new();
        request.encode(&mut out, now).unwrap();
        out.to_vec()[8..].to_vec()
    };
    assert_eq!(sent(request), []);
    // Of the 80 ms left, the server gets all but an eighth.
    let soon = request.with_deadline(now + Duration::from_millis(80));
    assert_eq!(sent(soon), [0x48, 70]);
    assert_eq!(sent(soon.with_deadline(now + Duration::from_secs(9))), [0x48, 70]);
    let late = request.with_deadline(now + Duration::from_secs(2));
    assert_eq!(sent(late), [0x48, 0xec, 14]);
    assert_eq!(sent(request.with_deadline(now)), [0x48, 1]);
    request.has_server_timeout = true;
    assert_eq!(sent(request.with_deadline(now)), []);
}

#[test]
fn options_override_the_retry_class() {
    let body = Blob::new();
    let request = Outgoing::raw_unary(&CONDITIONAL, &body);
    assert_eq!(request.retry(), Retry::Safe);
    let options = CallOptions::new().retry(Retry::Never);
    assert_eq!(request.with_options(&options, Instant::now()).retry(), Retry::Never);
}

#[test]
fn a_class_that_depends_on_a_context_is_resolved_wherever_it_comes_from() {
    let body = Blob::new();
    let without = Outgoing::raw_unary(&CONDITIONAL, &body);
    let with = Outgoing { has_context: true, ..without };
    let options = CallOptions::new().retry(Retry::IfContext);
    assert_eq!(with.with_options(&options, Instant::now()).retry(), Retry::Safe);
    assert_eq!(without.with_options(&options, Instant::now()).retry(), Retry::IfContext);
}
