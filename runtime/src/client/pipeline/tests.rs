//! Every sequence of events of a small scope, against a model that is too
//! simple to be wrong; then what the model leaves out.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::*;
use crate::operation::{Absent, Alternative, Cost, ErrorFrame, Mode, Retry, StreamEnd};
use crate::{Blob, FrameReader};

/// Where the second alternative says its end.
const OTHER_END: StreamEnd = StreamEnd { field: 2, when_absent: false };

const fn operation(name: &'static str, request: u8, mode: Mode, cost: Cost) -> Operation {
    Operation {
        name,
        request,
        response: request + 1,
        alternatives: &[Alternative { code: 42, end: None }, Alternative { code: 43, end: Some(OTHER_END) }],
        error: Some(ErrorFrame { code: 0, text: 1, number: Some(2) }),
        mode,
        cost,
        retry: Retry::Safe,
        absent: Absent::Defaults,
        bodyless: false,
        handshake: false,
        since: None,
        served_by: None,
        timeout: None,
    }
}

pub(in crate::client) static GET: Operation = operation("Test.Get", 9, Mode::Unary, Cost::Unary);
static FOLD: Operation = operation("Test.Fold", 33, Mode::Unary, Cost::Long);
static LIST: Operation =
    operation("Test.List", 17, Mode::Stream(StreamEnd { field: 3, when_absent: false }), Cost::Unary);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unary,
    Stream,
    Long,
}

impl Kind {
    fn operation(self) -> &'static Operation {
        match self {
            Self::Unary => &GET,
            Self::Stream => &LIST,
            Self::Long => &FOLD,
        }
    }

    fn is_exclusive(self) -> bool {
        self != Self::Unary
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A call is made.
    Call(Kind),
    /// All that is encoded is written, and the server sees it.
    Write,
    /// The server answers its oldest request: with the only or the last answer.
    Last,
    /// With an answer that is not the last.
    Chunk,
    /// With an error.
    Error,
    /// With an answer of another type.
    Wrong,
    /// A call is given up.
    Drop(usize),
    /// The server closes.
    Close,
    /// Everyone's time is up.
    Expire,
}

/// What a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Frame(u8),
    End,
    Server(u8),
    Unexpected,
    Timeout(bool),
    Lost,
    NotSent,
}

const MAX_IN_FLIGHT: usize = 2;
const MAX_OWED: usize = 1;
const CALLS: usize = 4;

#[derive(Clone, Debug, Default)]
struct Model {
    /// Each call's kind, and what its caller has yet to see; `None` when the
    /// caller has seen the end or is gone.
    calls: Vec<(Kind, Option<Vec<Seen>>)>,
    waiting: VecDeque<usize>,
    /// Requests in flight: whose, for whom, and whether they were written.
    flying: VecDeque<(usize, bool, bool)>,
    refuses: bool,
    closed: bool,
}

impl Model {
    fn see(&mut self, call: usize, seen: Seen) {
        self.calls[call].1.as_mut().expect("its caller waits").push(seen);
    }

    fn start(&mut self) {
        while let Some(&call) = self.waiting.front() {
            let exclusive = self.calls[call].0.is_exclusive();
            let room = match self.flying.back() {
                None => true,
                Some(&(last, ..)) => {
                    !exclusive && !self.calls[last].0.is_exclusive() && self.flying.len() < MAX_IN_FLIGHT
                }
            };
            if !room {
                break;
            }
            self.waiting.pop_front();
            self.flying.push_back((call, true, false));
        }
    }

    fn refuse(&mut self) {
        self.refuses = true;
        for call in std::mem::take(&mut self.waiting) {
            self.see(call, Seen::NotSent);
        }
    }

    fn close(&mut self) {
        self.refuse();
        self.closed = true;
        for (call, awaited, written) in std::mem::take(&mut self.flying) {
            if awaited {
                self.see(call, if written { Seen::Lost } else { Seen::NotSent });
            }
        }
    }

    fn settle(&mut self) {
        let owed = self.flying.iter().filter(|(_, awaited, _)| !awaited).count();
        if owed > MAX_OWED {
            self.refuse();
        }
        if self.refuses && owed == self.flying.len() {
            self.close();
        }
        self.start();
    }

    /// The server's answer to its oldest request.
    fn answer(&mut self, seen: Seen, last: bool) {
        let (call, awaited, _) = self.flying[0];
        if awaited {
            let unary = self.calls[call].0 != Kind::Stream;
            let is_frame = matches!(seen, Seen::Frame(_));
            self.see(call, seen);
            if last && is_frame && !unary {
                self.see(call, Seen::End);
            }
        }
        if last {
            self.flying.pop_front();
        }
    }

    fn drop_call(&mut self, call: usize) {
        self.calls[call].1 = None;
        if let Some(index) = self.waiting.iter().position(|&waiting| waiting == call) {
            self.waiting.remove(index);
        } else if let Some(flying) = self.flying.iter_mut().find(|flying| flying.0 == call) {
            flying.1 = false;
            if self.calls[call].0.is_exclusive() {
                self.close();
            }
        }
    }

    fn expire(&mut self) {
        for call in self.waiting.clone() {
            self.see(call, Seen::Timeout(false));
        }
        self.waiting.clear();
        for (call, awaited, written) in self.flying.clone() {
            if awaited {
                // It will still be written, unless it closes the connection.
                self.see(call, Seen::Timeout(written || !self.calls[call].0.is_exclusive()));
                let seen = self.calls[call].1.take();
                self.drop_call(call);
                self.calls[call].1 = seen;
            }
        }
    }
}

/// The pipeline, its callers, and a server.
struct System {
    pipeline: Pipeline,
    tickets: Vec<Option<Ticket>>,
    reader: FrameReader,
    /// The requests that the server has seen: their nonces.
    server: VecDeque<(u8, u8)>,
    written: u64,
    now: Instant,
    /// Calls whose callers were told that they were not sent.
    unsent: BTreeSet<u8>,
}

fn body(nonce: u8, last: bool) -> Blob {
    Blob::from([0x0a, 1, nonce, 0x18, u8::from(last)])
}

impl System {
    fn new(config: ConnectionConfig) -> Self {
        Self {
            pipeline: Pipeline::new(config),
            tickets: Vec::new(),
            reader: FrameReader::default(),
            server: VecDeque::new(),
            written: 0,
            now: Instant::now(),
            unsent: BTreeSet::new(),
        }
    }

    fn call(&mut self, kind: Kind) -> Result<(), NotSent> {
        let nonce = u8::try_from(self.tickets.len()).unwrap();
        let body = body(nonce, false);
        let request = match kind {
            Kind::Stream => Outgoing::raw_stream(kind.operation(), &body),
            _ => Outgoing::raw_unary(kind.operation(), &body),
        };
        let ticket = self.pipeline.call(&request, self.now, Waker::noop());
        let refused = ticket.as_ref().err().cloned();
        self.tickets.push(ticket.ok());
        refused.map_or(Ok(()), Err)
    }

    fn write(&mut self) {
        let mut output = WriteBuffer::new();
        self.pipeline.take_output(&mut output);
        let bytes = output.to_vec();
        self.written += bytes.len() as u64;
        self.reader.spare()[..bytes.len()].copy_from_slice(&bytes);
        self.reader.advance(bytes.len());
        while let Some(frame) = self.reader.next_frame().unwrap() {
            let nonce = frame.body[2];
            assert!(
                !self.unsent.contains(&nonce),
                "call {nonce} is sent after its caller was told that it is not"
            );
            self.server.push_back((frame.code, nonce));
        }
    }

    fn expire(&mut self, now: Instant) -> Option<Instant> {
        self.pipeline.expire(now);
        self.pipeline.next_deadline()
    }

    fn receive(&mut self, code: u8, body: Blob) {
        // The driver always says how far it is before it hands over frames.
        self.pipeline.attend(self.written);
        let _ = self.pipeline.receive(Frame { code, body }, self.now);
    }

    /// What the caller of each call sees now.
    fn look(&mut self, call: usize, kind: Kind) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(ticket) = self.tickets[call] {
            let next = if kind == Kind::Stream {
                self.pipeline.poll_frame(ticket, Waker::noop())
            } else {
                self.pipeline.poll_answer(ticket, Waker::noop()).map(Some)
            };
            let Poll::Ready(next) = next else { break };
            if kind != Kind::Stream || !matches!(next, Some(Ok(_))) {
                self.tickets[call] = None;
            }
            seen.push(match next {
                None => Seen::End,
                Some(Ok(frame)) => Seen::Frame(frame.body[2]),
                Some(Err(CallError::Server(error))) => Seen::Server(error.text[0]),
                Some(Err(CallError::UnexpectedCode { code: 99, .. })) => Seen::Unexpected,
                Some(Err(CallError::Timeout { sent, .. })) => Seen::Timeout(sent),
                Some(Err(CallError::Lost(_))) => Seen::Lost,
                Some(Err(CallError::NotSent(_))) => Seen::NotSent,
                Some(Err(error)) => panic!("unexpected {error:?}"),
            });
        }
        seen
    }
}

/// Whether an event can happen here, judged by the model.
fn enabled(event: Event, model: &Model) -> bool {
    let oldest = model.flying.front().filter(|flying| flying.2);
    match event {
        Event::Call(_) => model.calls.len() < CALLS,
        Event::Write => model.flying.iter().any(|flying| !flying.2),
        Event::Last | Event::Error | Event::Wrong => oldest.is_some(),
        Event::Chunk => oldest.is_some_and(|&(call, ..)| model.calls[call].0 == Kind::Stream),
        Event::Drop(call) => model.calls.get(call).is_some_and(|call| call.1.is_some()),
        Event::Close => !model.closed,
        Event::Expire => !model.waiting.is_empty() || model.flying.iter().any(|flying| flying.1),
    }
}

fn apply(event: Event, system: &mut System, model: &mut Model) {
    match event {
        Event::Call(kind) => {
            let call = model.calls.len();
            let refused = system.call(kind).is_err();
            assert_eq!(refused, model.refuses, "a call is refused if and only if the connection is closed");
            model.calls.push((kind, (!refused).then(Vec::new)));
            if !refused {
                model.waiting.push_back(call);
            }
        }
        Event::Write => {
            system.write();
            for flying in &mut model.flying {
                flying.2 = true;
            }
            let seen: Vec<_> = system.server.iter().map(|&(_, nonce)| usize::from(nonce)).collect();
            let sent: Vec<_> = model.flying.iter().map(|flying| flying.0).collect();
            assert_eq!(seen, sent, "the server sees the requests in the order of their places");
        }
        Event::Last | Event::Chunk | Event::Error | Event::Wrong => {
            let &(code, nonce) = system.server.front().expect("the model says so");
            let last = event != Event::Chunk;
            match event {
                Event::Error => {
                    model.answer(Seen::Server(nonce), true);
                    system.receive(0, Blob::from([0x0a, 1, nonce]));
                }
                Event::Wrong => {
                    model.answer(Seen::Unexpected, true);
                    model.close();
                    system.receive(99, body(nonce, true));
                }
                _ => {
                    model.answer(Seen::Frame(nonce), last);
                    system.receive(code + 1, body(nonce, last));
                }
            }
            if last {
                system.server.pop_front();
            }
        }
        Event::Drop(call) => {
            model.drop_call(call);
            if let Some(ticket) = system.tickets[call].take() {
                system.pipeline.give_up(ticket, system.now);
            }
        }
        Event::Close => {
            model.close();
            system.pipeline.attend(system.written);
            system.pipeline.fail(&ConnectionError::Closed { within_frame: false });
        }
        Event::Expire => {
            model.expire();
            system.now += Duration::from_secs(100);
            system.pipeline.attend(system.written);
            system.pipeline.expire(system.now);
        }
    }
    model.settle();
    assert_eq!(system.pipeline.attend(system.written), model.closed, "closed if and only if the model is");
    for call in 0..model.calls.len() {
        let (kind, expected) = &mut model.calls[call];
        let Some(expected) = expected else { continue };
        let expected = std::mem::take(expected);
        let seen = system.look(call, *kind);
        assert_eq!(seen, expected, "what the caller of call {call} sees");
        if seen.iter().any(|seen| matches!(seen, Seen::NotSent | Seen::Timeout(false))) {
            system.unsent.insert(u8::try_from(call).unwrap());
        }
        if system.tickets[call].is_none() {
            model.calls[call].1 = None;
        }
    }
    let (flying, waiting) = system.pipeline.load();
    assert_eq!((flying, waiting), (model.flying.len(), model.waiting.len()));
    let awaited = model.calls.iter().filter(|call| call.1.is_some()).count();
    assert_eq!(system.pipeline.slots.used(), awaited, "slots that nobody needs are free");
}

fn config() -> ConnectionConfig {
    let timeout = Some(Duration::from_secs(10));
    ConnectionConfig::new()
        .max_in_flight(MAX_IN_FLIGHT)
        .max_owed(MAX_OWED)
        .call_timeout(timeout)
        .long_call_timeout(timeout)
        .stream_idle_timeout(timeout)
}

/// Applies all sequences of `depth` more events to what `path` led to.
fn explore(path: &mut Vec<Event>, depth: usize, sequences: &mut usize) {
    let events = [Kind::Unary, Kind::Stream, Kind::Long]
        .map(Event::Call)
        .into_iter()
        .chain((0..CALLS).map(Event::Drop))
        .chain([Event::Write, Event::Last, Event::Chunk, Event::Error, Event::Wrong])
        .chain([Event::Close, Event::Expire]);
    // A pipeline cannot be cloned: each sequence starts anew.
    let replay = |path: &[Event]| {
        let (mut system, mut model) = (System::new(config()), Model::default());
        for &event in path {
            apply(event, &mut system, &mut model);
        }
        (system, model)
    };
    let (_, model) = replay(path);
    for event in events {
        if !enabled(event, &model) {
            continue;
        }
        path.push(event);
        if depth == 1 {
            *sequences += 1;
            let shown = path.clone();
            let result = std::panic::catch_unwind(|| drop(replay(&shown)));
            assert!(result.is_ok(), "after {shown:?}");
        } else {
            explore(path, depth - 1, sequences);
        }
        path.pop();
    }
}

#[test]
fn every_sequence_of_eight_events_behaves_as_the_model_says() {
    let mut sequences = 0;
    explore(&mut Vec::new(), 8, &mut sequences);
    assert!(sequences > 100_000, "only {sequences} sequences");
}

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
    system.pipeline.attend(system.written);
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
    system.pipeline.attend(system.written);
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
    system.pipeline.attend(system.written);
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
