//! The testee of protobuf's conformance suite: it decodes and re-encodes messages with code
//! generated from the suite's schemas.
//!
//! `tests/conformance/run` fetches the suite, generates that code and runs both. The
//! schemas are not this project's to publish, so without them there is nothing to test.
//! Invariant: every request gets exactly one answer.

use std::process::ExitCode;

#[cfg(generated)]
mod pipe;
#[cfg(generated)]
mod round_trip;

/// The generated code, one module for each file of the suite.
#[cfg(generated)]
#[allow(unreachable_pub, reason = "made to be a library's")]
mod suite {
    include!(env!("RIAK_CONFORMANCE_ROOT"));
}

/// The messages of the suite as derived types, declared from the same schemas.
#[cfg(generated)]
#[allow(
    dead_code,
    unreachable_pub,
    non_camel_case_types,
    non_snake_case,
    clippy::all,
    clippy::pedantic,
    reason = "named as in the schema"
)]
mod derived {
    use riak_runtime::{Blob, RiakMessage, wire};

    include!(env!("RIAK_CONFORMANCE_DERIVED"));
}

#[cfg(generated)]
fn main() -> ExitCode {
    let mut options = round_trip::Options::default();
    for flag in std::env::args().skip(1) {
        match flag.as_str() {
            "--borrowed" => options.borrowed = true,
            "--derived" => options.derived = true,
            other => {
                eprintln!("{other}: there is no such flag; there are --borrowed and --derived");
                return ExitCode::FAILURE;
            }
        }
    }
    match pipe::answer_all(std::io::stdin().lock(), std::io::stdout().lock(), options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the runner cannot be read from or written to: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(generated))]
fn main() -> ExitCode {
    eprintln!("built without the suite's schemas: start tests/conformance/run, which fetches them");
    ExitCode::FAILURE
}
