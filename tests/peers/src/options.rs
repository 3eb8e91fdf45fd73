//! The command line.

use std::path::PathBuf;

use crate::measure::Group;

pub(crate) const HELP: &str = "\
Measures encoding and decoding side by side with other implementations.

  --tsv          one tab-separated line a measurement instead of tables
  --svg FILE     a bar chart as well
  --rounds N     how many rounds; the smallest time of them is kept (100)
  --case PART    only cases whose name contains PART; may be repeated
  --group PART   only groups whose name contains PART: encode_new,
                 encode_frame, decode_owned, decode_borrowed; may be repeated
";

/// What is to be measured and printed.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) tsv: bool,
    pub(crate) svg: Option<PathBuf>,
    pub(crate) rounds: usize,
    cases: Vec<String>,
    groups: Vec<String>,
}

impl Options {
    /// Reads the arguments. `None` if help was asked for.
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self { tsv: false, svg: None, rounds: 100, cases: Vec::new(), groups: Vec::new() };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
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
}
