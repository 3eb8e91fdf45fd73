//! The command line of the program.
//!
//! Invariant: results go to standard output, everything else to standard error;
//! the exit code is 0 for success, 1 for a fault of the schema or the output,
//! and 2 for a fault of the command line.

mod codes;
mod flags;
mod generate;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::settings::SETTINGS;
use crate::{Error, builtin, plugin};

/// Why a command failed.
pub(crate) enum Failure {
    /// The command line is invalid; the text says why.
    Usage(String),
    /// The command ran and failed.
    Run(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Parameter { .. } => Self::Usage(error.to_string()),
            error => Self::Run(error),
        }
    }
}

/// Runs the program with these arguments, without the program's name. The exit code is 0
/// for success, 1 for a fault of the schema or the output, and 2 for a fault of the
/// arguments.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            eprintln!("protoc-gen-riak: {message}\nrun `protoc-gen-riak --help` for what there is");
            ExitCode::from(2)
        }
        Err(Failure::Run(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[OsString]) -> Result<(), Failure> {
    let Some((command, rest)) = args.split_first() else {
        if io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "this is a plugin that protoc starts: protoc --riak_out=OUT -I proto proto/*.proto"
                    .to_owned(),
            ));
        }
        let notice = |notice: &crate::Diagnostic| eprintln!("{notice}");
        return Ok(plugin::run(io::stdin().lock(), io::stdout().lock(), notice)?);
    };
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        return print(&help());
    }
    match command.to_str() {
        Some("generate") => generate::run(rest),
        Some("codes") => codes::run(rest),
        Some("include-dir") if !rest.is_empty() => {
            Err(Failure::Usage("include-dir takes no arguments".to_owned()))
        }
        Some("include-dir") => {
            let dir = builtin::include_dir()
                .map_err(|error| Error::Write { path: "the cache directory".into(), error })?;
            print(&format!("{}\n", dir.display()))
        }
        Some("--help" | "-h" | "help") => print(&help()),
        Some("--version" | "-V") => print(&format!("protoc-gen-riak {}\n", env!("CARGO_PKG_VERSION"))),
        _ => Err(Failure::Usage(format!(
            "there is no command {}: there are generate, codes and include-dir",
            command.to_string_lossy()
        ))),
    }
}

/// Prints a result. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { path: "standard output".into(), error }.into())
        }
        _ => Ok(()),
    }
}

fn help() -> String {
    let mut text = "\
protoc-gen-riak: typed Rust from Riak's protobuf schemas, or anyone's

  protoc --riak_out=OUT --riak_opt=KEY=VALUE,… -I proto proto/*.proto
      as a plugin of protoc or buf
  protoc-gen-riak generate [-I DIR …] -o OUT [--KEY VALUE …] FILE.proto …
      without protoc; names count from DIR, or from the current directory
  protoc-gen-riak codes [-I DIR …] [--format text|json] [--KEY VALUE …] FILE.proto …
      print the message-code table
  protoc-gen-riak include-dir
      print the directory with riak_options.proto and Riak's schemas, for protoc -I

Settings, as --KEY VALUE here, as KEY=VALUE in --riak_opt, and as methods of
protoc_gen_riak::Config in a build script:

"
    .to_owned();
    for setting in SETTINGS {
        let _ = writeln!(text, "  {:<16} {:<12} {}", setting.name, setting.value, setting.help);
    }
    text
}
