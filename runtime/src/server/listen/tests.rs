//! Errors of accept: which of them delay the next one, what is reported, and what a shutdown
//! waits for.

use std::collections::VecDeque;
use std::io::ErrorKind as Kind;

use tracing::Level;

use super::*;
use crate::Frame;
use crate::operation::ErrorFrame;
use crate::server::recorded_events::{Events, TURN};
use crate::server::{Failure, Outbox};

/// Serves nothing.
struct Nothing;

impl Service for Nothing {
    fn serves(&self, _: u8) -> bool {
        false
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, _: Frame, _: &mut Outbox) -> Result<(), Failure> {
        Err(Failure::Hangup)
    }
}

/// Runs a server whose accepts fail with these errors, one after the other, and which is shut
/// down by the last of them. Returns the time that this took.
async fn serve_failing(errors: impl IntoIterator<Item = io::Error>) -> Duration {
    let mut errors: VecDeque<_> = errors.into_iter().collect();
    let server = Server::default();
    let handle = server.handle();
    let begun = tokio::time::Instant::now();
    let accept = |_: &mut Context<'_>| {
        let error = errors.pop_front().expect("the server is shut down");
        if errors.is_empty() {
            handle.shut_down();
        }
        Poll::Ready(Err(error))
    };
    server.serve_accepted(accept, |_| Nothing).await;
    begun.elapsed()
}

fn too_many_files() -> io::Error {
    io::Error::other("too many files")
}

#[tokio::test(start_paused = true)]
async fn only_errors_that_concern_all_connections_delay_the_next_accept() {
    let _turn = TURN.lock().await;
    let of_one = [Kind::ConnectionAborted, Kind::ConnectionReset, Kind::ConnectionRefused, Kind::Interrupted];
    assert_eq!(serve_failing(of_one.map(io::Error::from)).await, Duration::ZERO);
    #[cfg(target_os = "linux")]
    assert_eq!(
        serve_failing([71, 71].map(io::Error::from_raw_os_error)).await,
        Duration::ZERO,
        "{}",
        io::Error::from_raw_os_error(71)
    );
    let of_all = [too_many_files(), too_many_files(), Kind::ConnectionAborted.into()];
    assert_eq!(serve_failing(of_all).await, 2 * ACCEPT_RETRY_DELAY);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_the_next_accept() {
    let _turn = TURN.lock().await;
    assert_eq!(serve_failing([too_many_files()]).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn failed_accepts_are_reported() {
    let _turn = TURN.lock().await;
    let events = Events::of("riak_runtime::server::listen");
    let _guard = tracing::subscriber::set_default(events.clone());
    serve_failing([Kind::ConnectionAborted.into(), too_many_files()]).await;
    let expected = [(Level::DEBUG, "connection aborted".into()), (Level::WARN, "too many files".into())];
    assert_eq!(events.take(), expected);
}
