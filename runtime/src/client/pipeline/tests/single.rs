//! Tests of what the model of [`super`] leaves out: wakers, timers, limits and
//! malformed bodies.

use super::*;
use crate::FrameError;
use crate::client::{QueueLimit, ServerErrorKind};

/// Counts how often it is woken.
#[derive(Default)]
struct WakeCounter(AtomicUsize);

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn wake_all(pipeline: &mut Pipeline) {
    let mut wakers = Vec::new();
    drop(pipeline.take_wakers(&mut wakers));
    wakers.into_iter().for_each(Waker::wake);
}

#[test]
fn a_caller_is_woken_once_and_the_driver_when_there_is_work() {
    let mut system = System::new(config());
    let count = Arc::new(WakeCounter::default());
    let waker = Waker::from(Arc::clone(&count));
    let request_body = body(0, false);
    let request = Outgoing::raw_unary(&GET, &request_body);
    let ticket = system.pipeline.call(&request, system.now, &waker).unwrap();
    assert!(system.pipeline.needs_driver());
    system.write();
    system.pipeline.sync_driver(system.written);
    assert!(!system.pipeline.needs_driver());
    assert!(system.pipeline.poll_answer(ticket, &waker).is_pending());
    system.receive(10, body(7, true));
    wake_all(&mut system.pipeline);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(Ok(frame)) = system.pipeline.poll_answer(ticket, &waker) else { panic!("it was woken") };
    assert_eq!(frame.body[2], 7);
}

#[test]
fn a_stream_whose_consumer_is_slow_stops_the_reads() {
    let mut system = System::new(config().stream_buffer(1000));
    system.call(Kind::Stream).unwrap();
    system.write();
    let chunk = || Blob::from(vec![0; 200]);
    let mut pushed = 0;
    while system.pipeline.may_receive(system.now) {
        // A message with one long field; a body of zeros would not decode.
        let mut body = vec![0x0a, 0xc5, 0x01];
        body.extend_from_slice(&chunk()[..197]);
        system.receive(18, Blob::from(body));
        pushed += 1;
    }
    assert_eq!(pushed, 5, "200 bytes each, and 32 for the frame");
    // No deadline applies while reading has stopped.
    system.now += Duration::from_secs(1000);
    assert_eq!(system.expire(system.now), None);
    system.pipeline.sync_driver(system.written);
    let ticket = system.tickets[0].unwrap();
    let mut taken = 0;
    while !system.pipeline.needs_driver() {
        assert!(matches!(system.pipeline.poll_frame(ticket, Waker::noop()), Poll::Ready(Some(Ok(_)))));
        taken += 1;
    }
    assert_eq!(taken, 3, "half of the buffer is free again");
    assert!(system.pipeline.may_receive(system.now));
    // From here on the idle timeout applies again.
    assert_eq!(system.expire(system.now), Some(system.now + Duration::from_secs(10)));
}

#[test]
fn one_timer_serves_all_deadlines() {
    let mut system = System::new(config());
    let start = system.now;
    for seconds in 0..2 {
        system.now = start + Duration::from_secs(seconds);
        system.call(Kind::Unary).unwrap();
    }
    assert_eq!(system.expire(system.now), Some(start + Duration::from_secs(10)));
    system.now = start + Duration::from_secs(10);
    assert_eq!(system.expire(system.now), Some(start + Duration::from_secs(11)));
    assert_eq!(system.observe(0, Kind::Unary), [Seen::Timeout(true)]);
    assert_eq!(system.observe(1, Kind::Unary), []);
}

#[test]
fn a_call_that_waits_for_half_of_its_time_is_not_sent() {
    let mut system = System::new(config().max_in_flight(1).wait_timeout(Some(Duration::from_secs(4))));
    let start = system.now;
    let at = |seconds| start + Duration::from_secs(seconds);
    system.call(Kind::Unary).unwrap();
    // The wait is limited to four seconds, and to half of the call's six.
    system.call(Kind::Unary).unwrap();
    let request_body = body(2, false);
    let request = Outgoing::raw_unary(&GET, &request_body).with_deadline(at(6));
    system.tickets.push(Some(system.pipeline.call(&request, start, Waker::noop()).unwrap()));
    system.call(Kind::Unary).unwrap();
    system.write();
    assert_eq!(system.expire(start), Some(at(3)));
    // The answer to another call arrives before the timer fires.
    let first = system.tickets[0].take().unwrap();
    system.receive(10, body(0, true));
    assert!(system.pipeline.poll_answer(first, Waker::noop()).is_ready());
    system.write();
    system.now = at(3);
    system.receive(10, body(1, true));
    system.write();
    assert_eq!(system.observe(1, Kind::Unary), [Seen::Frame(1)]);
    assert_eq!(system.observe(2, Kind::Unary), [Seen::Timeout(false)]);
    assert_eq!(system.server.back(), Some(&(9, 3)));
    // A call that has been sent keeps its original timeout.
    system.pipeline.sync_driver(system.written);
    assert_eq!(system.expire(at(9)), Some(at(10)));
    assert_eq!(system.observe(3, Kind::Unary), []);
}

#[test]
fn alternatives_without_an_end_field_answer_unary_calls_only() {
    let mut system = System::new(config());
    system.call(Kind::Unary).unwrap();
    system.call(Kind::Stream).unwrap();
    system.write();
    system.receive(42, body(5, true));
    assert_eq!(system.observe(0, Kind::Unary), [Seen::Frame(5)]);
    system.write();
    // This alternative has no end field.
    system.receive(42, body(6, true));
    let ticket = system.tickets[1].unwrap();
    let Poll::Ready(Some(Err(CallError::Alternative(frame)))) =
        system.pipeline.poll_frame(ticket, Waker::noop())
    else {
        panic!("the alternative is returned");
    };
    assert_eq!(frame.body[2], 6);
    assert!(system.pipeline.closed().is_some());
}

#[test]
fn alternatives_end_a_stream_by_their_own_field() {
    let mut system = System::new(config());
    system.call(Kind::Stream).unwrap();
    system.write();
    system.receive(43, Blob::from([0x0a, 1, 7, 0x18, 1]));
    assert_eq!(system.observe(0, Kind::Stream), [Seen::Frame(7)]);
    system.receive(43, Blob::from([0x0a, 1, 8, 0x10, 1]));
    assert_eq!(system.observe(0, Kind::Stream), [Seen::Frame(8), Seen::End]);
    assert!(system.pipeline.closed().is_none());
}

#[test]
fn an_unrequested_frame_closes_the_connection() {
    let mut system = System::new(config());
    // The request was encoded, but not written.
    system.call(Kind::Unary).unwrap();
    system.receive(10, body(0, true));
    assert_eq!(system.observe(0, Kind::Unary), [Seen::NotSent]);
    assert!(matches!(system.pipeline.closed(), Some(ConnectionError::Unasked { code: 10 })));
}

#[test]
fn an_error_before_all_of_a_request_is_sent_says_why() {
    let mut system = System::new(config());
    system.call(Kind::Unary).unwrap();
    let text = b"\x0a\x08too long\x10\x00";
    system.receive(GET.error.unwrap().code, Blob::from(&text[..]));
    assert_eq!(system.observe(0, Kind::Unary), [Seen::NotSent]);
    let Some(ConnectionError::Interrupted(error)) = system.pipeline.closed() else {
        panic!("the request was interrupted");
    };
    assert!(error.text == "too long");
}

#[test]
fn the_number_of_waiting_calls_is_limited() {
    let mut system = System::new(config().max_queued(1));
    for _ in 0..=MAX_IN_FLIGHT {
        system.call(Kind::Unary).unwrap();
    }
    let Err(NotSent::QueueFull { max }) = system.call(Kind::Unary) else { panic!("it waits") };
    assert_eq!(max, QueueLimit::Calls(1));
}

#[test]
fn the_size_of_waiting_calls_is_limited() {
    // Room for three requests, each with a frame of 5 bytes and a body of 1000.
    let mut pipeline =
        Pipeline::new(config().wait_timeout(Some(Duration::from_secs(5))).max_queued_bytes(3 * 1005 + 1));
    let (small, large) = (Blob::from(vec![7; 1000]), Blob::from(vec![7; 10_000]));
    let now = Instant::now();
    let call =
        |pipeline: &mut Pipeline, body| pipeline.call(&Outgoing::raw_unary(&GET, body), now, Waker::noop());
    // What is sent at once does not count.
    let sent: Vec<_> = (0..MAX_IN_FLIGHT).map(|_| call(&mut pipeline, &large).unwrap()).collect();
    // One request may be larger than the limit, but nothing waits behind it.
    let waiting = call(&mut pipeline, &large).unwrap();
    let full = Err(QueueLimit::Bytes(3 * 1005 + 1));
    let refused = |result: Result<Ticket, NotSent>| match result {
        Err(NotSent::QueueFull { max }) => Err(max),
        other => Ok(other.unwrap()),
    };
    assert_eq!(refused(call(&mut pipeline, &small)), full);
    pipeline.cancel(waiting, now);
    let mut waiting: Vec<_> = (0..3).map(|_| call(&mut pipeline, &small).unwrap()).collect();
    assert_eq!(refused(call(&mut pipeline, &small)), full);
    assert_eq!(refused(call(&mut pipeline, &large)), full);
    // Each way out of the queue makes room: a call that is given up, sent or timed out.
    pipeline.cancel(waiting.remove(1), now);
    waiting.push(call(&mut pipeline, &small).unwrap());
    assert_eq!(refused(call(&mut pipeline, &small)), full);
    pipeline.take_output(&mut WriteBuffer::new());
    pipeline.sync_driver(pipeline.encoded);
    pipeline.receive(Frame { code: 10, body: Blob::new() }, now).unwrap();
    assert!(pipeline.poll_answer(sent[0], Waker::noop()).is_ready());
    waiting.push(call(&mut pipeline, &small).unwrap());
    assert_eq!(refused(call(&mut pipeline, &small)), full);
    pipeline.expire(now + Duration::from_secs(6));
    call(&mut pipeline, &large).unwrap();
}

#[test]
fn a_malformed_error_fails_its_call_only() {
    let mut system = System::new(config());
    system.call(Kind::Unary).unwrap();
    system.write();
    system.receive(0, Blob::from([0x0a]));
    let ticket = system.tickets[0].take().unwrap();
    let answer = system.pipeline.poll_answer(ticket, Waker::noop());
    assert!(matches!(answer, Poll::Ready(Err(CallError::Decode(_)))));
    assert!(system.pipeline.closed().is_none());
}

/// The answer of a server whose handler crashed, before it closes the connection.
fn crash_answer() -> Frame {
    let text = b"Error processing incoming message: error:badarg:[]";
    let mut body = vec![0x0a, u8::try_from(text.len()).unwrap()];
    body.extend_from_slice(text);
    Frame { code: 0, body: Blob::from(body) }
}

#[test]
fn calls_behind_a_cancelled_call_that_crashed_were_not_sent() {
    let mut system = System::new(config());
    for _ in 0..2 {
        system.call(Kind::Unary).unwrap();
    }
    system.write();
    system.pipeline.sync_driver(system.written);
    system.pipeline.cancel(system.tickets[0].take().unwrap(), system.now);
    let error = system.pipeline.receive(crash_answer(), system.now).unwrap_err();
    assert!(matches!(error, ConnectionError::Crashed { operation: "Test.Get" }), "{error:?}");
    let Poll::Ready(end) = system.pipeline.poll_answer(system.tickets[1].unwrap(), Waker::noop()) else {
        panic!("all is over")
    };
    assert!(matches!(end, Err(CallError::NotSent(_))), "{end:?}");
    assert!(system.pipeline.sync_driver(system.written), "the socket is closed");
}

#[test]
fn calls_behind_a_call_that_crashed_were_not_sent() {
    let mut system = System::new(config());
    for _ in 0..2 {
        system.call(Kind::Unary).unwrap();
    }
    system.write();
    system.pipeline.sync_driver(system.written);
    let error = system.pipeline.receive(crash_answer(), system.now).unwrap_err();
    assert!(matches!(error, ConnectionError::Crashed { operation: "Test.Get" }), "{error:?}");
    let mut ends = system.tickets.iter().flatten().map(|&ticket| {
        let Poll::Ready(end) = system.pipeline.poll_answer(ticket, Waker::noop()) else {
            panic!("all is over")
        };
        end.unwrap_err()
    });
    let crashed = ends.next().unwrap();
    assert!(crashed.is(ServerErrorKind::Crashed) && crashed.may_have_been_applied(), "{crashed:?}");
    let behind = ends.next().unwrap();
    assert!(!behind.may_have_been_applied() && behind.is_retryable(), "{behind:?}");
    drop(ends);
    assert!(system.pipeline.sync_driver(system.written), "the socket is closed");
}

#[test]
fn an_answer_that_is_too_long_is_blamed_on_its_call_only() {
    for (length, is_answer) in [(100_000_000, true), (0x4854_5450, false)] {
        let mut system = System::new(config());
        for _ in 0..2 {
            system.call(Kind::Unary).unwrap();
        }
        system.write();
        system.pipeline.sync_driver(system.written);
        system.pipeline.fail_malformed(FrameError::TooLong { length, max: 1000 });
        let ends: Vec<_> = system
            .tickets
            .iter()
            .flatten()
            .map(|&ticket| {
                let Poll::Ready(Err(end)) = system.pipeline.poll_answer(ticket, Waker::noop()) else {
                    panic!("all is over")
                };
                end
            })
            .collect();
        assert_eq!(matches!(ends[0], CallError::TooLong { max: 1000, .. }), is_answer, "{ends:?}");
        assert_eq!(ends[0].is_retryable(), !is_answer);
        assert!(matches!(ends[1], CallError::Lost(_)) && ends[1].is_retryable(), "{ends:?}");
    }
}
