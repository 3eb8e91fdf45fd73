//! The parameters of a configuration by name, as URLs and files give them.
//!
//! Invariant: the table lists every parameter, so what it documents is what is
//! parsed.

use std::time::Duration;

#[cfg(feature = "tls")]
use riak_runtime::tls::{TlsConfig, Verify};

use super::error::InvalidConfig;
use super::{ClientConfig, DiscoverySource, Secret};

/// A parameter of a [`ClientConfig`]: its name, unit, default and meaning.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, as in a URL.
    pub name: &'static str,
    /// The kind of value: `count`, `bytes`, `time`, `time or off`, `text`, `path`,
    /// `name`, or a list of the possible values.
    pub unit: &'static str,
    /// The default, as written in a URL, or in words.
    pub default: &'static str,
    /// The meaning.
    pub help: &'static str,
    set: fn(&mut ClientConfig, &str) -> Result<(), String>,
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameter")
            .field("name", &self.name)
            .field("unit", &self.unit)
            .field("default", &self.default)
            .field("help", &self.help)
            .finish_non_exhaustive()
    }
}

const COUNT: &str = "count";
const TIME: &str = "time";
const TIME_OR_OFF: &str = "time or off";

/// Builds an entry of the table whose value is parsed by the function `$parse`.
macro_rules! parameter {
    ($name:literal, $unit:expr, $default:literal, $parse:ident => $($field:ident).+, $help:literal) => {
        Parameter {
            name: $name,
            unit: $unit,
            default: $default,
            help: $help,
            set: |config, value| {
                config.$($field).+ = $parse(value)?;
                Ok(())
            },
        }
    };
}

/// All parameters of a [`ClientConfig`], as they are written in a URL after the `?`.
///
/// A time is a whole number with its unit: `200ms`, `5s`, `2m` or `1h`. The
/// parameters for TLS exist only with the feature `tls`.
///
/// ```
/// for parameter in riak_client::PARAMETERS {
///     println!("{} ({}; {} by default): {}", parameter.name, parameter.unit, parameter.default, parameter.help);
/// }
/// ```
pub const PARAMETERS: &[Parameter] = &[
    parameter!("timeout", TIME_OR_OFF, "off", time_or_off => cluster.timeout,
        "how long a unary call may take, all attempts together; call_timeout limits each attempt in any case"),
    parameter!("call_timeout", TIME_OR_OFF, "70s", time_or_off => connection.call_timeout,
        "how long one attempt at a unary call may take; Riak itself gives up after 60s"),
    parameter!("long_timeout", TIME_OR_OFF, "1h", time_or_off => connection.long_call_timeout,
        "the same for folds and other calls that take the server long"),
    parameter!("stream_idle_timeout", TIME_OR_OFF, "2m", time_or_off => connection.stream_idle_timeout,
        "how long a stream may take for its next answer"),
    parameter!("connect_timeout", TIME, "5s", time => connection.connect_timeout,
        "how long a TCP connect may take"),
    parameter!("max_in_flight", COUNT, "256", count => connection.max_in_flight,
        "calls in flight on one connection; further ones wait their turn"),
    parameter!("max_queued", COUNT, "65536", count => connection.max_queued,
        "unary calls that may wait for their turn on one connection; further ones fail at once"),
    parameter!("max_queued_bytes", "bytes", "67108864", count => connection.max_queued_bytes,
        "the size of their requests, which are held in memory; a single request may be larger"),
    parameter!("max_owed", COUNT, "128", count => connection.max_owed,
        "outstanding answers of calls that were given up, before their connection takes no more calls"),
    parameter!("max_frame", "bytes", "67108864", count => connection.max_frame,
        "the longest answer that is accepted; Riak refuses objects over 50 MB"),
    parameter!("decode_depth", COUNT, "100", count_u32 => connection.decode_limits.depth,
        "how deep an answer's messages may nest; protobuf's own limit"),
    parameter!("decode_expansion", COUNT, "128", count => connection.decode_limits.expansion,
        "bytes of memory that decoding may take for each byte received; Riak's own answers take 88 at most"),
    parameter!("stream_buffer", "bytes", "262144", count => connection.stream_buffer,
        "what is buffered of a stream for a slow consumer before reading stops"),
    parameter!("pool_min", COUNT, "1", count => cluster.pool.min_connections,
        "connections to each node that stay open even if unused"),
    parameter!("pool_max", COUNT, "16", count => cluster.pool.max_connections,
        "connections to each node for unary calls; a node works on one request of each at a time"),
    parameter!("pool_target", COUNT, "4", count => cluster.pool.target_in_flight,
        "calls on each connection before another one is opened"),
    parameter!("max_streams", COUNT, "8", count => cluster.pool.max_streams,
        "connections to each node for streams and folds, each of which has one to itself"),
    parameter!("max_waiting", COUNT, "1024", count => cluster.pool.max_waiting,
        "streams and folds that may wait for a connection to a node"),
    Parameter {
        name: "wait_timeout",
        unit: TIME,
        default: "10s",
        help: "how long a call may wait for a connection, and then for its turn on it; a call with a deadline waits half of its time at most",
        set: |config, value| {
            let after = time(value)?;
            config.cluster.pool.wait_timeout = after;
            config.connection.wait_timeout = Some(after);
            Ok(())
        },
    },
    parameter!("idle_timeout", TIME_OR_OFF, "5m", time_or_off => cluster.pool.idle_timeout,
        "how long an unused connection is kept; firewalls forget idle ones"),
    parameter!("max_lifetime", TIME_OR_OFF, "1h", time_or_off => cluster.pool.max_lifetime,
        "how long a connection is used before it is replaced, so that load spreads again behind a load balancer"),
    parameter!("attempts", COUNT, "3", count_u32 => cluster.retry.max_attempts,
        "attempts at a call in all, if it may be repeated"),
    parameter!("attempt_timeout", TIME_OR_OFF, "10s", time_or_off => cluster.retry.attempt_timeout,
        "how long an attempt may take that another node can make up for"),
    parameter!("backoff_min", TIME, "10ms", time => cluster.retry.backoff_min,
        "the longest pause before the second attempt if the cluster is overloaded; doubled with each further one"),
    parameter!("backoff_max", TIME, "1s", time => cluster.retry.backoff_max,
        "the longest pause before any attempt"),
    parameter!("retry_percent", COUNT, "10", count_u32 => cluster.retry.budget_percent,
        "repetitions that a hundred calls allow, so that they do not add to an overload"),
    parameter!("retry_reserve", COUNT, "100", count_u32 => cluster.retry.budget_reserve,
        "repetitions on top of that, so that a client with few calls may repeat them as well"),
    parameter!("breaker_failures", COUNT, "5", count_u32 => cluster.breaker.failures,
        "failures in a row after which a node is left alone for a while"),
    parameter!("breaker_open_min", TIME, "200ms", time => cluster.breaker.open_min,
        "how long a node is left alone at first; doubled with each failed probe"),
    parameter!("breaker_open_max", TIME, "1s", time => cluster.breaker.open_max,
        "how long a node is left alone at most; a node that is back waits that long for calls"),
    parameter!("probe_timeout", TIME, "1s", time => cluster.breaker.probe_timeout,
        "how long a probe, the call that tries a node again, may take before another node gets the call"),
    Parameter {
        name: "discover",
        unit: "off, dns or membership",
        default: "off",
        help: "where the list of nodes comes from: the URL alone, all addresses of its names, or the cluster (Riak 3.0.10 and later)",
        set: |config, value| {
            config.discovery.source = match value {
                "off" => DiscoverySource::Off,
                "dns" => DiscoverySource::Dns,
                "membership" => DiscoverySource::Membership,
                _ => return Err(format!("is `{value}`: it must be off, dns or membership")),
            };
            Ok(())
        },
    },
    parameter!("discover_every", TIME, "1m", time => discovery.every,
        "how long after one answer discovery asks again"),
    parameter!("user", "text", "none", some_text => user, "the user to authenticate as; may also stand before the @"),
    parameter!("password", "text", "none", secret => password, "the user's password; may also stand after the user and a colon"),
    #[cfg(feature = "tls")]
    Parameter {
        name: "tls",
        unit: "off, full or chain",
        default: "off",
        help: "full checks that a server's certificate is trusted, valid and for the host; chain does not check the host",
        set: |config, value| {
            match value {
                "off" => config.tls = None,
                "full" => config.tls = Some(config.tls.take().unwrap_or_default().verify(Verify::Full)),
                "chain" => config.tls = Some(config.tls.take().unwrap_or_default().verify(Verify::Chain)),
                _ => return Err(format!("is `{value}`: it must be off, full or chain")),
            }
            Ok(())
        },
    },
    #[cfg(feature = "tls")]
    Parameter {
        name: "ca",
        unit: "path",
        default: "the system's",
        help: "a PEM file with the authorities to trust",
        set: |config, value| set_tls(config, |tls| tls.ca_file(value)),
    },
    #[cfg(feature = "tls")]
    Parameter {
        name: "cert",
        unit: "path",
        default: "none",
        help: "a PEM file with the client's certificate and its private key",
        set: |config, value| set_tls(config, |tls| tls.client_certificate_files(value, value)),
    },
    #[cfg(feature = "tls")]
    Parameter {
        name: "server_name",
        unit: "name",
        default: "the host",
        help: "the name that servers' certificates must have",
        set: |config, value| set_tls(config, |tls| tls.server_name(value)),
    },
];

/// The parameters that exist only with the feature `tls`.
pub(super) const TLS_PARAMETERS: &[&str] = &["tls", "ca", "cert", "server_name"];

/// Changes the TLS settings. Setting any of them turns TLS on.
#[cfg(feature = "tls")]
#[expect(clippy::unnecessary_wraps, reason = "the table requires this signature")]
fn set_tls(config: &mut ClientConfig, set: impl FnOnce(TlsConfig) -> TlsConfig) -> Result<(), String> {
    config.tls = Some(set(config.tls.take().unwrap_or_default()));
    Ok(())
}

impl ClientConfig {
    /// Sets a parameter by its name, to a value written as in a URL but not
    /// percent-encoded.
    ///
    /// # Errors
    ///
    /// Fails if there is no such parameter, or if it cannot have this value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidConfig> {
        // One configuration serves builds with and without TLS.
        if cfg!(not(feature = "tls")) && (name, value) == ("tls", "off") {
            return Ok(());
        }
        let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.name == name) else {
            return Err(unknown_parameter(name));
        };
        (parameter.set)(self, value).map_err(|reason| InvalidConfig::Value { name: parameter.name, reason })
    }
}

fn unknown_parameter(name: &str) -> InvalidConfig {
    #[cfg(not(feature = "tls"))]
    if let Some(name) = TLS_PARAMETERS.iter().find(|known| **known == name) {
        return InvalidConfig::WithoutTls(name);
    }
    let near = PARAMETERS.iter().map(|parameter| (edit_distance(parameter.name, name), parameter.name)).min();
    let suggestion = near.filter(|(distance, _)| *distance <= name.len() / 3 + 1).map(|(_, name)| name);
    InvalidConfig::UnknownParameter { name: name.to_owned(), suggestion }
}

/// Returns the edit distance: the number of letters to insert, remove or replace.
fn edit_distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], index + 1);
        for (at, theirs) in other.iter().enumerate() {
            let replaced = corner + usize::from(letter != *theirs);
            corner = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(corner + 1);
        }
    }
    row[other.len()]
}

fn count(value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("is `{value}`: it must be a whole number"))
}

fn count_u32(value: &str) -> Result<u32, String> {
    value.parse().map_err(|_| format!("is `{value}`: it must be a whole number up to {}", u32::MAX))
}

fn time(value: &str) -> Result<Duration, String> {
    let digits = value.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let invalid = || format!("is `{value}`: a time is written like 200ms, 5s, 2m or 1h");
    let number: u64 = number.parse().map_err(|_| invalid())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    millis.map(Duration::from_millis).ok_or_else(invalid)
}

fn time_or_off(value: &str) -> Result<Option<Duration>, String> {
    if value == "off" {
        return Ok(None);
    }
    let time = time(value)?;
    // Elsewhere, zero often stands for no limit; here it would end everything at once.
    if time.is_zero() {
        return Err(format!("is `{value}`: write `off` for no limit, or a time above zero"));
    }
    Ok(Some(time))
}

#[expect(clippy::unnecessary_wraps, reason = "the table requires this signature")]
fn some_text(value: &str) -> Result<Option<String>, String> {
    Ok(Some(value.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "the table requires this signature")]
fn secret(value: &str) -> Result<Secret, String> {
    Ok(Secret::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_the_actual_defaults() {
        for parameter in PARAMETERS {
            if matches!(parameter.name, "user" | "password" | "ca" | "cert" | "server_name") {
                continue;
            }
            let mut config = ClientConfig::default();
            (parameter.set)(&mut config, parameter.default).unwrap();
            assert_eq!(config, ClientConfig::default(), "{}", parameter.name);
        }
    }

    #[test]
    fn each_parameter_says_what_its_values_are() {
        for parameter in PARAMETERS {
            if matches!(parameter.unit, "text" | "path" | "name") {
                continue;
            }
            let error = ClientConfig::default().set(parameter.name, "soon").unwrap_err().to_string();
            assert!(error.contains(parameter.name) && error.contains("`soon`: "), "{error}");
        }
        for value in ["5", "s", "5 s", "5d", "-1s", "99999999999999999999s", ""] {
            assert!(time(value).is_err(), "{value}");
        }
        assert_eq!(time("2m").unwrap(), Duration::from_secs(120));
        let error = ClientConfig::default().set("call_timeout", "0s").unwrap_err().to_string();
        assert!(error.contains("write `off` for no limit"), "{error}");
    }

    #[test]
    fn typos_get_a_suggestion() {
        let error = ClientConfig::default().set("pool-max", "3").unwrap_err();
        assert_eq!(error.to_string(), "there is no parameter `pool-max`: did you mean `pool_max`?");
        let error = ClientConfig::default().set("colour", "red").unwrap_err();
        assert!(error.to_string().ends_with("riak_client::PARAMETERS lists them"), "{error}");
    }
}
