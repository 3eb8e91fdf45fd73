//! Runs every short sequence of events against a simple model of the pipeline.
//! `single` tests what the model leaves out.

mod model;
mod single;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;

use model::Model;

use super::*;
use crate::operation::{Absent, Alternative, Cost, ErrorFrame, Mode, Retry, StreamEnd};
use crate::{Blob, FrameReader};

/// The end-of-stream field of the second alternative answer.
const ALTERNATIVE_END: StreamEnd = StreamEnd { field: 2, when_absent: false };

const fn operation(name: &'static str, request: u8, mode: Mode, cost: Cost) -> Operation {
    Operation {
        name,
        request,
        response: request + 1,
        alternatives: &[
            Alternative { code: 42, end: None },
            Alternative { code: 43, end: Some(ALTERNATIVE_END) },
        ],
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
pub(in crate::client) static FOLD: Operation = operation("Test.Fold", 33, Mode::Unary, Cost::Long);
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
    /// A caller makes a call.
    Call(Kind),
    /// The driver writes all encoded requests, and the server receives them.
    Write,
    /// The server answers its oldest request with the only or the last answer.
    Last,
    /// The server answers with a chunk of a stream that is not the last.
    Chunk,
    /// The server answers with an error.
    Error,
    /// The server answers with an unexpected message code.
    Wrong,
    /// A caller drops its call.
    Drop(usize),
    /// The server closes the connection.
    Close,
    /// All calls reach their deadlines.
    Expire,
}

/// An outcome that a caller observes. Numbers are nonces of requests.
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

/// The pipeline, its callers, and a server.
struct System {
    pipeline: Pipeline,
    tickets: Vec<Option<Ticket>>,
    reader: FrameReader,
    /// The code and nonce of each request that the server has received and not answered.
    server: VecDeque<(u8, u8)>,
    written: u64,
    now: Instant,
    /// Nonces of calls that were reported as not sent.
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
        // The driver, too, reports what it has written before it delivers frames.
        self.pipeline.sync_driver(self.written);
        let _ = self.pipeline.receive(Frame { code, body }, self.now);
    }

    /// Returns what the caller of a call observes now.
    fn observe(&mut self, call: usize, kind: Kind) -> Vec<Seen> {
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

/// Reports whether an event is possible in the model's state.
fn is_possible(event: Event, model: &Model) -> bool {
    let oldest = model.in_flight.front().filter(|request| request.2);
    match event {
        Event::Call(_) => model.calls.len() < CALLS,
        Event::Write => model.in_flight.iter().any(|request| !request.2),
        Event::Last | Event::Error | Event::Wrong => oldest.is_some(),
        Event::Chunk => oldest.is_some_and(|&(call, ..)| model.calls[call].0 == Kind::Stream),
        Event::Drop(call) => model.calls.get(call).is_some_and(|call| call.1.is_some()),
        Event::Close => !model.closed,
        Event::Expire => !model.waiting.is_empty() || model.in_flight.iter().any(|request| request.1),
    }
}

/// Applies an event to both the system and the model, and compares them.
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
            for request in &mut model.in_flight {
                request.2 = true;
            }
            let seen: Vec<_> = system.server.iter().map(|&(_, nonce)| usize::from(nonce)).collect();
            let sent: Vec<_> = model.in_flight.iter().map(|request| request.0).collect();
            assert_eq!(seen, sent, "the server receives the requests in queue order");
        }
        Event::Last | Event::Chunk | Event::Error | Event::Wrong => {
            let &(code, nonce) = system.server.front().expect("the model has an oldest request");
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
                system.pipeline.cancel(ticket, system.now);
            }
        }
        Event::Close => {
            model.close();
            system.pipeline.sync_driver(system.written);
            system.pipeline.fail(&ConnectionError::Closed { within_frame: false });
        }
        Event::Expire => {
            model.expire();
            system.now += Duration::from_secs(100);
            system.pipeline.sync_driver(system.written);
            system.pipeline.expire(system.now);
        }
    }
    model.settle();
    assert_eq!(
        system.pipeline.sync_driver(system.written),
        model.closed,
        "closed if and only if the model is"
    );
    for call in 0..model.calls.len() {
        let (kind, expected) = &mut model.calls[call];
        let Some(expected) = expected else { continue };
        let expected = std::mem::take(expected);
        let seen = system.observe(call, *kind);
        assert_eq!(seen, expected, "what the caller of call {call} sees");
        if seen.iter().any(|seen| matches!(seen, Seen::NotSent | Seen::Timeout(false))) {
            system.unsent.insert(u8::try_from(call).unwrap());
        }
        if system.tickets[call].is_none() {
            model.calls[call].1 = None;
        }
    }
    let (in_flight, waiting) = system.pipeline.load();
    assert_eq!((in_flight, waiting), (model.in_flight.len(), model.waiting.len()));
    let awaited = model.calls.iter().filter(|call| call.1.is_some()).count();
    assert_eq!(system.pipeline.slots.used(), awaited, "finished calls free their slots");
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

/// Checks all sequences of events that extend `path` by `depth` events.
fn explore(path: &mut Vec<Event>, depth: usize, sequences: &mut usize) {
    let events = [Kind::Unary, Kind::Stream, Kind::Long]
        .map(Event::Call)
        .into_iter()
        .chain((0..CALLS).map(Event::Drop))
        .chain([Event::Write, Event::Last, Event::Chunk, Event::Error, Event::Wrong])
        .chain([Event::Close, Event::Expire]);
    // A pipeline cannot be cloned, so each sequence is replayed from the start.
    let replay = |path: &[Event]| {
        let (mut system, mut model) = (System::new(config()), Model::default());
        for &event in path {
            apply(event, &mut system, &mut model);
        }
        (system, model)
    };
    let (_, model) = replay(path);
    for event in events {
        if !is_possible(event, &model) {
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
fn every_sequence_of_eight_events_matches_the_model() {
    let mut sequences = 0;
    explore(&mut Vec::new(), 8, &mut sequences);
    assert!(sequences > 100_000, "only {sequences} sequences");
}
