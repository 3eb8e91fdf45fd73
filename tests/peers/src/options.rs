//! The command line.

use std::path::PathBuf;

use crate::measure::{Case, Group};

pub(crate) const HELP: &str = "\
Measures encoding and decoding side by side with other implementations.

  --client ...   the client beside other clients of Riak instead; first of all
                 arguments, of which the others are its own: --client --help
  --tsv          one tab-separated line a measurement instead of tables
  --svg FILE     a bar chart as well
  --curve        how cost grows with keys, rows and nesting depth instead
  --build        what an edited schema costs: builds and generators instead
  --derive-build  what derived messages cost to build, beside prost's instead
  --trimming-heap  let glibc give memory back between two allocations, as it does
                 by itself; then the last value on the heap pays for page faults
  --rounds N     how many rounds; the smallest time of them is kept (100)
  --case PART    only cases whose name contains PART; may be repeated
  --group PART   only groups whose name contains PART: encode_new,
                 encode_frame, decode_owned, decode_borrowed; may be repeated
  --contender PART  only contenders whose name contains PART; may be repeated
";

/// The parsed options.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches that do not depend on one another")]
pub(crate) struct Options {
    pub(crate) tsv: bool,
    pub(crate) curve: bool,
    pub(crate) build: bool,
    pub(crate) derive_build: bool,
    pub(crate) trimming_heap: bool,
    pub(crate) svg: Option<PathBuf>,
    pub(crate) rounds: usize,
    cases: Vec<String>,
    groups: Vec<String>,
    contenders: Vec<String>,
}

impl Options {
    /// Parses the arguments. Returns `None` if help was requested.
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            tsv: false,
            curve: false,
            build: false,
            derive_build: false,
            trimming_heap: false,
            svg: None,
            rounds: 100,
            cases: Vec::new(),
            groups: Vec::new(),
            contenders: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--trimming-heap" => options.trimming_heap = true,
                "--build" => options.build = true,
                "--derive-build" => options.derive_build = true,
                "--curve" => options.curve = true,
                "--tsv" => options.tsv = true,
                "--svg" => options.svg = Some(value()?.into()),
                "--rounds" => {
                    options.rounds = value()?
                        .parse()
                        .ok()
                        .filter(|rounds| *rounds > 0)
                        .ok_or("--rounds needs a number above 0")?;
                }
                "--case" => options.cases.push(value()?),
                "--group" => options.groups.push(value()?),
                "--contender" => options.contenders.push(value()?),
                _ => return Err(format!("there is no option `{arg}`")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants_case(&self, name: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|part| name.contains(part.as_str()))
    }

    pub(crate) fn wants_group(&self, group: Group) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|part| group.name().contains(part.as_str()))
    }

    /// Removes unwanted measurements from a case. The floor always stays.
    pub(crate) fn keep_wanted(&self, case: &mut Case) {
        let named = |name: &str| {
            self.contenders.is_empty() || self.contenders.iter().any(|part| name.contains(part.as_str()))
        };
        case.measurements
            .retain(|one| one.group == Group::Floor || self.wants_group(one.group) && named(one.contender));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Options>, String> {
        Options::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn filters_are_parts_of_names() {
        let options = read("--case ts --case keys --group decode").unwrap().unwrap();
        assert!(options.wants_case("list_keys_1000") && options.wants_case("ts_query_1000x5"));
        assert!(!options.wants_case("get_req"));
        assert!(options.wants_group(Group::DecodeOwned) && !options.wants_group(Group::EncodeNew));
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(read("--rounds 0").unwrap_err(), "--rounds needs a number above 0");
        assert_eq!(read("--svg").unwrap_err(), "--svg needs a value");
        assert_eq!(read("--fast").unwrap_err(), "there is no option `--fast`");
        assert!(read("--help").unwrap().is_none());
    }
}
