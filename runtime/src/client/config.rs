//! [`ConnectionConfig`]: what a connection allows and how long it waits.
//!
//! Invariant: the defaults are safe in production: nothing waits for ever, and
//! nothing is buffered without bound.

use std::time::Duration;

use crate::DecodeLimits;

/// Settings of a [`Connection`](super::Connection).
///
/// Each field has a method of the same name that sets it. A timeout of `None` is
/// no timeout.
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
    /// How many unary calls may be in flight at once; further ones wait their
    /// turn. Default 256: enough for 250,000 calls a second over a network with a
    /// round trip of a millisecond, and few enough that a call does not wait long
    /// behind others. 0 counts as 1.
    pub max_in_flight: usize,
    /// How many answers may be outstanding that nobody waits for any more,
    /// because their calls were dropped or timed out. Default 128. Above it, new
    /// calls are refused ([`ConnectionError::Owed`](super::ConnectionError::Owed)),
    /// and the connection closes as soon as nobody waits for an answer.
    pub max_owed: usize,
    /// How many calls may wait their turn; further ones fail with
    /// [`NotSent::QueueFull`](super::NotSent::QueueFull). Default 65,536. Each
    /// waiting call holds its encoded request in memory. `riak-client`'s option for
    /// it is `max_queued`.
    pub max_waiting: usize,
    /// How long a call may wait its turn: until others are answered, or until a
    /// stream ends. Default 10 seconds. A call with a deadline of its own waits for
    /// at most half of the time that it has: a request that is sent just before it
    /// expires makes the server do work whose result nobody uses.
    pub wait_timeout: Option<Duration>,
    /// The longest frame that is accepted, in bytes: message code and body, without
    /// the four bytes of length. Default 64 MiB
    /// ([`MAX_FRAME`](crate::frame::MAX_FRAME)). Requests are not subject to it.
    pub max_frame: usize,
    /// How deep an answer may nest and how much memory decoding it may take.
    /// Default [`DecodeLimits::DEFAULT`].
    pub decode_limits: DecodeLimits,
    /// How many bytes of a stream's answers are buffered for a slow consumer
    /// before reading from the socket stops. Default 256 KiB.
    pub stream_buffer: usize,
    /// How long looking up the name and the TCP connect may take together.
    /// Default 5 seconds.
    pub connect_timeout: Duration,
    /// How long a unary call may take: waiting its turn, sending, receiving.
    /// Default 70 seconds: after 60, Riak itself answers with an error, which says
    /// more than a timeout here. A longer timeout in the request itself does not extend
    /// it.
    pub call_timeout: Option<Duration>,
    /// The same for calls that keep the server busy for long
    /// ([`Cost::Long`](crate::operation::Cost)). Default one hour.
    pub long_call_timeout: Option<Duration>,
    /// How long a stream may take for each answer; for the first one, the wait for
    /// its turn counts as well. Default 2 minutes. Time during which reading has
    /// stopped because the consumer is slow does not count.
    pub stream_idle_timeout: Option<Duration>,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            max_in_flight: 256,
            max_owed: 128,
            max_waiting: 65_536,
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

/// Makes methods that set the fields of the same names.
macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

pub(super) use setters;

impl ConnectionConfig {
    /// The default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        max_in_flight: usize,
        max_owed: usize,
        max_waiting: usize,
        wait_timeout: Option<Duration>,
        max_frame: usize,
        decode_limits: DecodeLimits,
        stream_buffer: usize,
        connect_timeout: Duration,
        call_timeout: Option<Duration>,
        long_call_timeout: Option<Duration>,
        stream_idle_timeout: Option<Duration>,
    }
}
