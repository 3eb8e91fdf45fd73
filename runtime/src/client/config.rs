//! [`ConnectionConfig`]: limits and timeouts of a connection.
//!
//! Invariant: the defaults are safe in production: nothing waits for ever, and no
//! buffer grows without bound.

use std::time::Duration;

use crate::DecodeLimits;

/// Settings of a [`Connection`](super::Connection).
///
/// Each field has a method of the same name that sets it. `None` disables a timeout.
///
/// ```
/// use std::time::Duration;
/// use riak_runtime::client::ConnectionConfig;
///
/// let config = ConnectionConfig::new()
///     .max_in_flight(64)
///     .call_timeout(Some(Duration::from_secs(5)));
/// assert_eq!(config.max_in_flight, 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// Maximum number of unary calls in flight; further calls wait in a queue.
    /// Default 256: enough for 250,000 calls a second over a network with a round trip
    /// of one millisecond, and few enough that a call does not wait long behind others.
    /// 0 counts as 1.
    pub max_in_flight: usize,
    /// Maximum number of answers owed to calls that were dropped or timed out after
    /// they had been sent. Default 128. Above it, new calls are refused
    /// ([`ConnectionError::Owed`](super::ConnectionError::Owed)), and the connection
    /// closes as soon as no caller waits for an answer.
    pub max_owed: usize,
    /// Maximum number of calls that wait to be sent; further calls fail with
    /// [`NotSent::QueueFull`](super::NotSent::QueueFull). Default 65,536.
    pub max_queued: usize,
    /// Maximum size of the encoded requests of calls that wait to be sent, in bytes;
    /// further calls fail with [`NotSent::QueueFull`](super::NotSent::QueueFull). Default
    /// 64 MiB. A single request may wait whatever its size.
    pub max_queued_bytes: usize,
    /// How long a call may wait to be sent, until others are answered or a stream ends.
    /// Default 10 seconds. A call with a deadline of its own waits for at most half of
    /// its time: a request sent just before it expires makes the server do work whose
    /// result nobody uses.
    pub wait_timeout: Option<Duration>,
    /// Maximum length of a received frame in bytes: message code and body, without the
    /// four bytes of the length prefix. Default 64 MiB
    /// ([`MAX_FRAME`](crate::frame::MAX_FRAME)). It does not apply to requests.
    pub max_frame: usize,
    /// How deeply an answer may be nested and how much memory decoding it may take.
    /// Default [`DecodeLimits::DEFAULT`].
    pub decode_limits: DecodeLimits,
    /// How many bytes of a stream's answers are buffered for a slow consumer
    /// before reading from the socket stops. Default 256 KiB.
    pub stream_buffer: usize,
    /// How long the name lookup and the TCP connect may take together.
    /// Default 5 seconds.
    pub connect_timeout: Duration,
    /// How long a unary call may take, including the wait to be sent. Default 70
    /// seconds: after 60, Riak itself answers with an error, which says more than a
    /// timeout here. A longer timeout in the request does not extend it.
    pub call_timeout: Option<Duration>,
    /// How long a call that keeps the server busy for long
    /// ([`Cost::Long`](crate::operation::Cost)) may take. Default one hour.
    pub long_call_timeout: Option<Duration>,
    /// How long a stream may take for each answer; for the first one, this includes the
    /// wait to be sent. Default 2 minutes. Time during which reading has stopped
    /// because the consumer is slow does not count.
    pub stream_idle_timeout: Option<Duration>,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            max_in_flight: 256,
            max_owed: 128,
            max_queued: 65_536,
            max_queued_bytes: 64 * 1024 * 1024,
            wait_timeout: Some(Duration::from_secs(10)),
            max_frame: crate::frame::MAX_FRAME,
            decode_limits: DecodeLimits::DEFAULT,
            stream_buffer: 256 * 1024,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Some(Duration::from_secs(70)),
            long_call_timeout: Some(Duration::from_secs(3600)),
            stream_idle_timeout: Some(Duration::from_secs(120)),
        }
    }
}

/// Defines methods that set the fields of the same names.
macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field.into();
            self
        }
    )*};
}

pub(super) use setters;

impl ConnectionConfig {
    /// Creates the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        max_in_flight: usize,
        max_owed: usize,
        max_queued: usize,
        max_queued_bytes: usize,
        wait_timeout: impl Into<Option<Duration>>,
        max_frame: usize,
        decode_limits: DecodeLimits,
        stream_buffer: usize,
        connect_timeout: Duration,
        call_timeout: impl Into<Option<Duration>>,
        long_call_timeout: impl Into<Option<Duration>>,
        stream_idle_timeout: impl Into<Option<Duration>>,
    }
}
