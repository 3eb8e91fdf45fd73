//! Callers and driver on separate threads, in every order in which they can take the
//! connection's lock: no thread waits forever, and no call gets another's answer.
//!
//! `pipeline/tests.rs` checks what happens under the lock, with all sequences of events
//! against a model. These tests check that the threads wake each other.
//!
//! ```sh
//! RUSTFLAGS="--cfg riak_loom" cargo test --release -p riak-runtime --test interleavings
//! ```
#![cfg(riak_loom)]

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;
use riak_runtime::client::{self, CallError, Connection, ConnectionConfig, ConnectionError, NotSent};
use riak_runtime::operation::{Absent, Cost, Mode, Operation, Retry, StreamEnd};
use riak_runtime::{Blob, FrameReader};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const fn operation(name: &'static str, request: u8, mode: Mode) -> Operation {
    Operation {
        name,
        request,
        response: request + 1,
        alternatives: &[],
        error: None,
        mode,
        cost: Cost::Unary,
        retry: Retry::Safe,
        absent: Absent::Defaults,
        bodyless: false,
        handshake: false,
        since: None,
        served_by: None,
        timeout: None,
    }
}

static GET: Operation = operation("Test.Get", 9, Mode::Unary);
static LIST: Operation = operation("Test.List", 17, Mode::Stream(StreamEnd { field: 2, when_absent: false }));
static SCAN: Operation = operation("Test.Scan", 25, Mode::Stream(StreamEnd { field: 2, when_absent: false }));

/// A socket whose other end answers as soon as a request is written: an ordinary request
/// with its own body, a listing with one answer and no end, a scan with three answers.
#[derive(Default)]
struct Mirror {
    requests: FrameReader,
    answers: Vec<u8>,
    reader: Option<Waker>,
}

impl AsyncWrite for Mirror {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.requests.spare()[..bytes.len()].copy_from_slice(bytes);
        self.requests.advance(bytes.len());
        while let Some(frame) = self.requests.next_frame().unwrap() {
            let ends: &[&[u8]] = if frame.code == SCAN.request { &[&[], &[], &[0x10, 1]] } else { &[&[]] };
            for end in ends {
                let length = u32::try_from(frame.body.len() + end.len() + 1).unwrap();
                self.answers.extend(length.to_be_bytes());
                self.answers.push(frame.code + 1);
                self.answers.extend_from_slice(&frame.body);
                self.answers.extend_from_slice(end);
            }
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Mirror {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answers.is_empty() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = self.answers.len().min(buffer.remaining());
        buffer.put_slice(&self.answers[..count]);
        self.answers.drain(..count);
        Poll::Ready(Ok(()))
    }
}

/// Returns a body that identifies its call.
fn body(number: u8) -> Blob {
    Blob::from([0x0a, 1, number])
}

async fn get(connection: &Connection, number: u8) -> Result<(), CallError> {
    let body = body(number);
    let frame = client::frame(connection, &GET, &body).await?;
    assert_eq!((frame.code, frame.body), (GET.response, body), "the answer is of another call");
    Ok(())
}

/// Polls a call once, and drops it.
async fn poll_once_and_drop(call: impl Future) {
    let mut call = pin!(call);
    std::future::poll_fn(|cx| {
        let _ = call.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}

/// Explores all interleavings with at most this many preemptive thread switches.
fn explore(preemptions: usize, config: ConnectionConfig, scenario: fn(Connection)) {
    let config =
        config.wait_timeout(None).call_timeout(None).long_call_timeout(None).stream_idle_timeout(None);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let (connection, driver) = Connection::new(Mirror::default(), config.clone());
        let driver = thread::spawn(move || block_on(driver));
        scenario(connection);
        // The driver ends once all handles are gone, without a failure of the socket.
        match driver.join().unwrap() {
            Ok(()) | Err(ConnectionError::Abandoned { .. } | ConnectionError::Owed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn two_callers_each_get_their_own_answer() {
    explore(2, ConnectionConfig::new(), |connection| {
        let other = connection.clone();
        let other = thread::spawn(move || block_on(get(&other, 1)).unwrap());
        block_on(get(&connection, 2)).unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_caller_waiting_for_a_slot_is_woken() {
    explore(3, ConnectionConfig::new().max_in_flight(1), |connection| {
        let other = connection.clone();
        let other = thread::spawn(move || block_on(get(&other, 1)).unwrap());
        block_on(get(&connection, 2)).unwrap();
        other.join().unwrap();
    });
}

#[test]
fn dropping_a_call_at_any_time_affects_no_other_call() {
    explore(3, ConnectionConfig::new().max_in_flight(1), |connection| {
        let other = connection.clone();
        let other = thread::spawn(move || block_on(poll_once_and_drop(get(&other, 1))));
        block_on(get(&connection, 2)).unwrap();
        other.join().unwrap();
    });
}

#[test]
fn dropping_a_stream_closes_the_connection_and_wakes_waiting_calls() {
    explore(2, ConnectionConfig::new(), |connection| {
        let other = connection.clone();
        let other = thread::spawn(move || {
            block_on(async {
                let body = body(1);
                if let Ok(mut stream) = client::frames(&other, &LIST, &body).await {
                    let first = stream.next().await.unwrap().unwrap();
                    assert_eq!((first.code, first.body), (LIST.response, body));
                }
            });
        });
        match block_on(get(&connection, 2)) {
            Ok(()) => {}
            Err(CallError::NotSent(NotSent::Connection(ConnectionError::Abandoned { .. }))) => {}
            Err(error) => panic!("{error}"),
        }
        other.join().unwrap();
    });
}

#[test]
fn exceeding_the_limit_of_dropped_calls_fails_only_unsent_calls() {
    explore(2, ConnectionConfig::new().max_owed(0), |connection| {
        let other = connection.clone();
        let other = thread::spawn(move || block_on(poll_once_and_drop(get(&other, 1))));
        match block_on(get(&connection, 2)) {
            Ok(()) => {}
            Err(CallError::NotSent(NotSent::Connection(ConnectionError::Owed { .. }))) => {}
            Err(error) => panic!("{error}"),
        }
        other.join().unwrap();
    });
}

#[test]
fn a_stream_resumes_when_its_slow_consumer_reads_again() {
    explore(2, ConnectionConfig::new().stream_buffer(1), |connection| {
        block_on(async {
            let body = body(1);
            let mut stream = client::frames(&connection, &SCAN, &body).await.unwrap();
            let mut count = 0;
            while let Some(frame) = stream.next().await {
                assert_eq!(frame.unwrap().body[..3], body[..]);
                count += 1;
            }
            assert_eq!(count, 3);
        });
    });
}

#[test]
fn a_stream_moved_to_another_thread_wakes_its_new_owner() {
    explore(2, ConnectionConfig::new().stream_buffer(1), |connection| {
        let body = body(1);
        let mut stream = block_on(client::frames(&connection, &SCAN, &body)).unwrap();
        let other = thread::spawn(move || {
            block_on(poll_once_and_drop(stream.next()));
            stream
        });
        let mut stream = other.join().unwrap();
        block_on(async {
            while let Some(frame) = stream.next().await {
                frame.unwrap();
            }
        });
        block_on(get(&connection, 2)).unwrap();
    });
}

#[test]
fn dropping_the_driver_fails_all_waiting_calls() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let config = ConnectionConfig::new().max_in_flight(1).wait_timeout(None).call_timeout(None);
        let (connection, driver) = Connection::new(Mirror::default(), config);
        let driver = thread::spawn(move || block_on(poll_once_and_drop(driver)));
        let other = connection.clone();
        let other = thread::spawn(move || block_on(get(&other, 1)));
        for result in [block_on(get(&connection, 2)), other.join().unwrap()] {
            match result {
                Ok(()) | Err(CallError::Lost(ConnectionError::Stopped)) => {}
                Err(CallError::NotSent(NotSent::Connection(ConnectionError::Stopped))) => {}
                Err(error) => panic!("{error}"),
            }
        }
        driver.join().unwrap();
    });
}
