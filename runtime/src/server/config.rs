//! [`ServerConfig`]: limits of a server and its connections.
//!
//! Invariant: with the defaults a server behaves like a real node, except that frames
//! have a maximum length.

use std::time::Duration;

use crate::DecodeLimits;

/// Settings of a [`Server`](super::Server) and its connections.
///
/// Each field has a method of the same name that sets it.
///
/// ```
/// use riak_runtime::DecodeLimits;
/// use riak_runtime::server::ServerConfig;
///
/// // For a server that is open to the public.
/// let limits = DecodeLimits::new().depth(20).expansion(32);
/// let config = ServerConfig::new().max_frame(1024 * 1024).decode_limits(limits);
/// assert_eq!(config.write_buffer, 64 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Maximum length of a received frame in bytes: message code and body, without the
    /// four bytes of the length prefix. A longer frame is answered with an error, and
    /// the connection is closed. Default 64 MiB
    /// ([`MAX_FRAME`](crate::frame::MAX_FRAME)).
    pub max_frame: usize,
    /// How many bytes of answers are buffered for a client that does not read them.
    /// Once it is reached, [`Replies::send`](super::Replies::send) waits and no further
    /// request is handled. Default 64 KiB.
    pub write_buffer: usize,
    /// Whether a request that arrives while a stream is being sent is answered with an
    /// error and closes the connection, as in Riak, instead of waiting for the end of
    /// the stream. Default true.
    pub refuse_behind_stream: bool,
    /// How deeply a request may be nested and how much memory decoding it may take.
    /// Default [`DecodeLimits::DEFAULT`]. A server that is open to the public may want
    /// less than its 128 bytes of memory for each byte received.
    pub decode_limits: DecodeLimits,
    /// How long a server that shuts down waits for its connections to finish before it
    /// closes them. Default 30 seconds.
    pub grace: Duration,
    /// How long a client may send nothing, once all its answers are written, before its
    /// connection is closed. The time starts anew with each byte that arrives, and does not
    /// run while a request is handled or answered. It should be longer than clients keep
    /// unused connections: a request that crosses the close gets no answer. Default `None`:
    /// idle connections stay open, as in Riak.
    pub idle_timeout: Option<Duration>,
    /// How long a client may take none of the bytes that wait to be written before its
    /// connection is closed and the handler of its request is dropped. The time starts anew
    /// with each byte that is written, so that slow clients are not affected. Default
    /// `None`: a client that has stopped reading keeps its connection and its handler, as in
    /// Riak, until its socket fails or the server shuts down.
    pub write_timeout: Option<Duration>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            max_frame: crate::frame::MAX_FRAME,
            write_buffer: 64 * 1024,
            refuse_behind_stream: true,
            decode_limits: DecodeLimits::DEFAULT,
            grace: Duration::from_secs(30),
            idle_timeout: None,
            write_timeout: None,
        }
    }
}

impl ServerConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`max_frame`](Self#structfield.max_frame).
    #[must_use]
    pub fn max_frame(mut self, max_frame: usize) -> Self {
        self.max_frame = max_frame;
        self
    }

    /// Sets [`write_buffer`](Self#structfield.write_buffer).
    #[must_use]
    pub fn write_buffer(mut self, write_buffer: usize) -> Self {
        self.write_buffer = write_buffer;
        self
    }

    /// Sets [`refuse_behind_stream`](Self#structfield.refuse_behind_stream).
    #[must_use]
    pub fn refuse_behind_stream(mut self, refuse: bool) -> Self {
        self.refuse_behind_stream = refuse;
        self
    }

    /// Sets [`decode_limits`](Self#structfield.decode_limits).
    #[must_use]
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.decode_limits = limits;
        self
    }

    /// Sets [`grace`](Self#structfield.grace).
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets [`idle_timeout`](Self#structfield.idle_timeout).
    #[must_use]
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = timeout.into();
        self
    }

    /// Sets [`write_timeout`](Self#structfield.write_timeout).
    #[must_use]
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.write_timeout = timeout.into();
        self
    }
}
