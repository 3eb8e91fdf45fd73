//! [`ConnectionConfig`]: what a connection allows and how long it waits.
//!
//! Invariant: the defaults are safe in production: nothing waits for ever, and
//! nothing is buffered without bound.

use std::time::Duration;

use crate::DecodeLimits;

/// Settings of a [`Connection`](super::Connection).
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
    /// turn. 256: enough to hide a millisecond of network at 250,000 calls a
    /// second, and little enough that a call does not wait long behind others.
    pub max_in_flight: usize,
    /// How many answers may be outstanding that nobody waits for any more,
    /// because their calls were dropped or took too long. Past it no new calls
    /// are sent, and the connection closes as soon as nobody waits for an
    /// answer. 128. No more than so many bulk calls are in flight over one
    /// connection that nothing replaces.
    pub max_owed: usize,
    /// How many calls may wait their turn. 65,536; each keeps its encoded
    /// request.
    pub max_waiting: usize,
    /// How long a call may wait its turn: until others are answered, or until a
    /// stream ends. 10 seconds. A call with a deadline of its own waits for no
    /// more than half of the time that it has: a client that sends what is
    /// about to expire does work that nobody waits for.
    pub wait_timeout: Option<Duration>,
    /// The longest frame that is accepted, in bytes, code included. 64 MiB
    /// ([`MAX_FRAME`](crate::frame::MAX_FRAME)).
    pub max_frame: usize,
    /// What decoding an answer may cost.
    /// [`DecodeLimits::DEFAULT`]: answers nest to a depth of 100, and take 128
    /// bytes of memory for a byte received, besides its copy.
    pub decode_limits: DecodeLimits,
    /// How many bytes of a stream's answers are kept for a consumer that is
    /// slow; then reading from the socket stops. 256 KiB.
    pub stream_buffer: usize,
    /// How long connecting may take. 5 seconds.
    pub connect_timeout: Duration,
    /// How long a unary call may take: waiting its turn, sending, receiving.
    /// 70 seconds: Riak gives itself 60 and then answers with an error, which
    /// says more than a timeout here.
    pub call_timeout: Option<Duration>,
    /// The same for calls that keep the server busy for long
    /// ([`Cost::Long`](crate::operation::Cost)). One hour.
    pub long_call_timeout: Option<Duration>,
    /// How long a stream may take for its next answer; for the first, waiting
    /// for its turn counts. 2 minutes. Time during which reading has stopped
    /// because the consumer is slow does not count.
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
    /// The defaults.
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
