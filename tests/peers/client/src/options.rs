//! The command line.

use std::time::Duration;

pub(crate) const HELP: &str = "\
Measures this project's client side by side with other clients of Riak.
Servers and clients are processes of their own.

  --tsv             one tab-separated line a measurement instead of tables
  --rounds N        how many rounds, in each of which all take turns; in the
                    table, each figure is their median (10)
  --millis N        how long a contender's turn is, in milliseconds (100)
  --section PART    only sections whose name contains PART: table, gaps,
                    latency, stream; may be repeated
  --server PART     only servers whose name contains PART: instant, node
  --contender PART  only contenders whose name contains PART; the floors always
  --in-flight N     only cells with so many calls in flight
  --keys N          how many keys the stream has (10000000)
";

/// The parsed options.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) tsv: bool,
    pub(crate) rounds: u32,
    pub(crate) turn: Duration,
    pub(crate) keys: usize,
    in_flight: Vec<usize>,
    sections: Vec<String>,
    servers: Vec<String>,
    contenders: Vec<String>,
}

impl Options {
    /// Parses the arguments. Returns `None` if help was requested.
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            tsv: false,
            rounds: 10,
            turn: Duration::from_millis(100),
            keys: 10_000_000,
            in_flight: Vec::new(),
            sections: Vec::new(),
            servers: Vec::new(),
            contenders: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--tsv" => options.tsv = true,
                "--rounds" => options.rounds = number(&arg, &value()?)?,
                "--millis" => options.turn = Duration::from_millis(number(&arg, &value()?)?),
                "--keys" => options.keys = number(&arg, &value()?)?,
                "--in-flight" => options.in_flight.push(number(&arg, &value()?)?),
                "--section" => options.sections.push(value()?),
                "--server" => options.servers.push(value()?),
                "--contender" => options.contenders.push(value()?),
                _ => return Err(format!("there is no option `{arg}`")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants_section(&self, name: &str) -> bool {
        wants(&self.sections, name)
    }

    pub(crate) fn wants_server(&self, name: &str) -> bool {
        wants(&self.servers, name)
    }

    /// Reports whether to measure a contender. The floors are always measured, as the
    /// others are compared with them.
    pub(crate) fn wants_contender(&self, name: &str) -> bool {
        name.starts_with("floor") || wants(&self.contenders, name)
    }

    pub(crate) fn wants_in_flight(&self, calls: usize) -> bool {
        self.in_flight.is_empty() || self.in_flight.contains(&calls)
    }
}

fn wants(parts: &[String], name: &str) -> bool {
    parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
}

fn number<T: TryFrom<u64>>(name: &str, text: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number: &u64| *number > 0);
    number.and_then(|number| number.try_into().ok()).ok_or_else(|| format!("{name} needs a number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Options>, String> {
        Options::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn filters_are_parts_of_names() {
        let options = read("--section tab --contender riak-c --in-flight 16").unwrap().unwrap();
        assert!(options.wants_section("table") && !options.wants_section("gaps"));
        assert!(options.wants_contender("riak-connection") && !options.wants_contender("no-riak"));
        assert!(options.wants_contender("floor") && options.wants_server("node"));
        assert!(options.wants_in_flight(16) && !options.wants_in_flight(1));
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(read("--rounds 0").unwrap_err(), "--rounds needs a number above 0");
        assert_eq!(read("--millis").unwrap_err(), "--millis needs a value");
        assert_eq!(read("--fast").unwrap_err(), "there is no option `--fast`");
        assert!(read("--help").unwrap().is_none());
    }
}
