//! The binary: a `protoc` plugin with commands of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    protoc_gen_riak::cli::run(std::env::args_os().skip(1))
}
