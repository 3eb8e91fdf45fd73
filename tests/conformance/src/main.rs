//! The testee of protobuf's conformance suite: what it is given is decoded and
//! encoded again, by code that was generated from the suite's schemas.
//!
//! `tests/conformance/run` fetches the suite, generates that code and runs
//! both. The schemas are not this project's to publish, so without them there
//! is nothing to test. Invariant: every request gets exactly one answer.

use std::process::ExitCode;

#[cfg(generated)]
mod pipe;
#[cfg(generated)]
mod round_trip;

/// The generated code: a module for each file of the suite.
#[cfg(generated)]
#[allow(unreachable_pub, reason = "made to be a library's")]
mod suite {
    include!(env!("RIAK_CONFORMANCE_ROOT"));
}

#[cfg(generated)]
fn main() -> ExitCode {
    let form = match std::env::args().nth(1).as_deref() {
        None => round_trip::Form::Owned,
        Some("--borrowed") => round_trip::Form::Borrowed,
        Some(other) => {
            eprintln!("{other}: there is no such flag; --borrowed is the only one");
            return ExitCode::FAILURE;
        }
    };
    match pipe::answer_all(std::io::stdin().lock(), std::io::stdout().lock(), form) {
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
