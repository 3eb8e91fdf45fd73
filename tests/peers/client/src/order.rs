//! The protocol between the measuring process and a client's process.
//!
//! Orders and reports are single lines, so that drivers in other languages can take part.
//! Invariant: everything that is formatted here is also parsed here.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// An order to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Make calls for a while.
    Run(Load),
    /// Connect, call, pause, and call again, repeatedly.
    Gaps { server: SocketAddr, times: u32, pause: Duration },
}

/// The parameters of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) server: SocketAddr,
    pub(crate) in_flight: usize,
    pub(crate) connections: usize,
    pub(crate) time: Duration,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(Load { server, in_flight, connections, time }) => {
                write!(f, "run {server} {in_flight} {connections} {}", time.as_millis())
            }
            Self::Gaps { server, times, pause } => write!(f, "gaps {server} {times} {}", pause.as_millis()),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or_else(|| format!("`{line}` ends too early"));
        let what = word()?;
        let server = parse(word()?)?;
        match what {
            "run" => Ok(Self::Run(Load {
                server,
                in_flight: parse(word()?)?,
                connections: parse(word()?)?,
                time: Duration::from_millis(parse(word()?)?),
            })),
            "gaps" => Ok(Self::Gaps {
                server,
                times: parse(word()?)?,
                pause: Duration::from_millis(parse(word()?)?),
            }),
            _ => Err(format!("there is no order `{what}`")),
        }
    }
}

/// A driver's answer, with times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Report {
    Ran(Ran),
    Gaps(Gaps),
}

/// The result of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) calls: u64,
    /// The duration in which these calls were counted.
    pub(crate) elapsed: u64,
    /// The CPU time of the process, all threads together.
    pub(crate) cpu: u64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
}

/// The durations of single calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gaps {
    pub(crate) first: Spread,
    pub(crate) paused: Spread,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: u64,
    pub(crate) max: u64,
}

impl Spread {
    pub(crate) fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or(0);
        Self { median: at(times.len() / 2), max: at(times.len().saturating_sub(1)) }
    }
}

impl Ran {
    pub(crate) fn per_second(&self) -> f64 {
        as_float(self.calls) * 1e9 / as_float(self.elapsed.max(1))
    }

    /// Returns the nanoseconds of CPU time per call.
    pub(crate) fn cpu_per_call(&self) -> f64 {
        as_float(self.cpu) / as_float(self.calls.max(1))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ran(Ran { calls, elapsed, cpu, p50, p99 }) => {
                write!(f, "ran {calls} {elapsed} {cpu} {p50} {p99}")
            }
            Self::Gaps(Gaps { first, paused }) => {
                write!(f, "gaps {} {} {} {}", first.median, first.max, paused.median, paused.max)
            }
        }
    }
}

impl FromStr for Report {
    type Err = String;

    /// Parses a report. A line that begins with `no` is a refusal with its reason.
    fn from_str(line: &str) -> Result<Self, String> {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbers = || rest.split_whitespace().map(parse).collect::<Result<Vec<u64>, _>>();
        match (what, numbers().as_deref()) {
            ("ran", Ok(&[calls, elapsed, cpu, p50, p99])) => {
                Ok(Self::Ran(Ran { calls, elapsed, cpu, p50, p99 }))
            }
            ("gaps", Ok(&[a, b, c, d])) => Ok(Self::Gaps(Gaps {
                first: Spread { median: a, max: b },
                paused: Spread { median: c, max: d },
            })),
            ("no", _) => Err(rest.to_owned()),
            _ => Err(format!("it answered `{line}`")),
        }
    }
}

fn parse<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("`{word}` is no number or address"))
}

/// Converts a count or nanoseconds, which are small enough to be exact.
#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_reports_round_trip() {
        let server = "127.0.0.1:80".parse().unwrap();
        let load = Load { server, in_flight: 256, connections: 8, time: Duration::from_millis(250) };
        for order in [Order::Run(load), Order::Gaps { server, times: 3, pause: Duration::from_secs(1) }] {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        let spread = Spread::of(vec![3, 9, 1]);
        assert_eq!(spread, Spread { median: 3, max: 9 });
        let ran = Ran { calls: 1, elapsed: 2, cpu: 3, p50: 4, p99: 5 };
        for report in [Report::Ran(ran), Report::Gaps(Gaps { first: spread, paused: spread })] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        assert_eq!("no such thing".parse::<Report>(), Err("such thing".to_owned()));
        assert!("run 127.0.0.1:80 1".parse::<Order>().is_err());
    }
}
