//! What the model of [`super`] leaves out: wakers, timers, limits, and bodies that
//! are malformed.

use super::*;
use crate::FrameError;
use crate::client::ServerErrorKind;

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
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
    let count = Arc::new(Wakes::default());
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
        // A body of zeros is no message; a long field is one.
        let mut body = vec![0x0a, 0xc5, 0x01];
        body.extend_from_slice(&chunk()[..197]);
        system.receive(18, Blob::from(body));
        pushed += 1;
    }
    assert_eq!(pushed, 5, "200 bytes each, and 32 for the frame");
    // No answer is late while none is read.
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
    // From here on the server has its time again.
    assert_eq!(system.expire(system.now), Some(system.now + Duration::from_secs(10)));
}

#[test]
fn a_deadline_is_kept_by_one_timer() {
    let mut system = System::new(config());
    let start = system.now;
    for seconds in 0..2 {
        system.now = start + Duration::from_secs(seconds);
        system.call(Kind::Unary).unwrap();
    }
    assert_eq!(system.expire(system.now), Some(start + Duration::from_secs(10)));
    system.now = start + Duration::from_secs(10);
    assert_eq!(system.expire(system.now), Some(start + Duration::from_secs(11)));
    assert_eq!(system.look(0, Kind::Unary), [Seen::Timeout(true)]);
    assert_eq!(system.look(1, Kind::Unary), []);
}

#[test]
fn a_call_waits_for_half_of_its_time_and_is_not_sent_when_that_is_over() {
    let mut system = System::new(config().max_in_flight(1).wait_timeout(Some(Duration::from_secs(4))));
    let start = system.now;
    let at = |seconds| start + Duration::from_secs(seconds);
    system.call(Kind::Unary).unwrap();
    // Four seconds are the most, and half of six is less.
    system.call(Kind::Unary).unwrap();
    let request_body = body(2, false);
    let request = Outgoing::raw_unary(&GET, &request_body).with_deadline(at(6));
    system.tickets.push(Some(system.pipeline.call(&request, start, Waker::noop()).unwrap()));
    system.call(Kind::Unary).unwrap();
    system.write();
    assert_eq!(system.expire(start), Some(at(3)));
    // Its timer has not gone off when the others get on.
    let first = system.tickets[0].take().unwrap();
    system.receive(10, body(0, true));
    assert!(system.pipeline.poll_answer(first, Waker::noop()).is_ready());
    system.write();
    system.now = at(3);
    system.receive(10, body(1, true));
    system.write();
    assert_eq!(system.look(1, Kind::Unary), [Seen::Frame(1)]);
    assert_eq!(system.look(2, Kind::Unary), [Seen::Timeout(false)]);
    assert_eq!(system.server.back(), Some(&(9, 3)));
    // Once it has had its turn a call has the rest of its own time.
    system.pipeline.sync_driver(system.written);
    assert_eq!(system.expire(at(9)), Some(at(10)));
    assert_eq!(system.look(3, Kind::Unary), []);
}

#[test]
fn alternatives_that_do_not_say_their_end_are_answers_of_unary_calls_only() {
    let mut system = System::new(config());
    system.call(Kind::Unary).unwrap();
    system.call(Kind::Stream).unwrap();
    system.write();
    system.receive(42, body(5, true));
    assert_eq!(system.look(0, Kind::Unary), [Seen::Frame(5)]);
    system.write();
    // Which of its fields is the end is not known.
    system.receive(42, body(6, true));
    let ticket = system.tickets[1].unwrap();
    let Poll::Ready(Some(Err(CallError::Alternative(frame)))) =
        system.pipeline.poll_frame(ticket, Waker::noop())
    else {
        panic!("it is returned for what it is");
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
    assert_eq!(system.look(0, Kind::Stream), [Seen::Frame(7)]);
    system.receive(43, Blob::from([0x0a, 1, 8, 0x10, 1]));
    assert_eq!(system.look(0, Kind::Stream), [Seen::Frame(8), Seen::End]);
    assert!(system.pipeline.closed().is_none());
}

#[test]
fn a_frame_that_answers_nothing_closes() {
    let mut system = System::new(config());
    // It was encoded, but not written.
    system.call(Kind::Unary).unwrap();
    system.receive(10, body(0, true));
    assert_eq!(system.look(0, Kind::Unary), [Seen::NotSent]);
    assert!(matches!(system.pipeline.closed(), Some(ConnectionError::Unasked { code: 10 })));
}

#[test]
fn no_more_calls_wait_than_may() {
    let mut system = System::new(config().max_waiting(1));
    for _ in 0..=MAX_IN_FLIGHT {
        system.call(Kind::Unary).unwrap();
    }
    assert!(matches!(system.call(Kind::Unary), Err(NotSent::QueueFull { max: 1 })));
}

#[test]
fn a_malformed_error_is_an_error_of_its_call_only() {
    let mut system = System::new(config());
    system.call(Kind::Unary).unwrap();
    system.write();
    system.receive(0, Blob::from([0x0a]));
    let ticket = system.tickets[0].take().unwrap();
    let answer = system.pipeline.poll_answer(ticket, Waker::noop());
    assert!(matches!(answer, Poll::Ready(Err(CallError::Decode(_)))));
    assert!(system.pipeline.closed().is_none());
}

/// What a server answers before it closes.
fn crash() -> Frame {
    let text = b"Error processing incoming message: error:badarg:[]";
    let mut body = vec![0x0a, u8::try_from(text.len()).unwrap()];
    body.extend_from_slice(text);
    Frame { code: 0, body: Blob::from(body) }
}

#[test]
fn what_was_sent_behind_the_crash_of_a_call_that_was_given_up_was_not_looked_at() {
    let mut system = System::new(config());
    for _ in 0..2 {
        system.call(Kind::Unary).unwrap();
    }
    system.write();
    system.pipeline.sync_driver(system.written);
    system.pipeline.cancel(system.tickets[0].take().unwrap(), system.now);
    let error = system.pipeline.receive(crash(), system.now).unwrap_err();
    assert!(matches!(error, ConnectionError::Crashed { operation: "Test.Get" }), "{error:?}");
    let Poll::Ready(end) = system.pipeline.poll_answer(system.tickets[1].unwrap(), Waker::noop()) else {
        panic!("all is over")
    };
    assert!(matches!(end, Err(CallError::NotSent(_))), "{end:?}");
    assert!(system.pipeline.sync_driver(system.written), "the socket is closed");
}

#[test]
fn what_was_sent_behind_a_crash_was_not_looked_at() {
    let mut system = System::new(config());
    for _ in 0..2 {
        system.call(Kind::Unary).unwrap();
    }
    system.write();
    system.pipeline.sync_driver(system.written);
    let error = system.pipeline.receive(crash(), system.now).unwrap_err();
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
fn an_answer_that_is_too_long_is_its_calls_fault_alone() {
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
