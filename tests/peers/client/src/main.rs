//! Measures this project's client side by side with other clients of Riak.
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml -- --client --help` prints
//! the options. The same program also runs as the servers and the clients, each in a
//! process of its own.

mod contender;
mod drive;
mod exchange;
mod foreign;
mod frames;
mod gaps;
mod latency;
mod options;
mod order;
mod process;
mod report;
mod serve;
mod stream;
mod table;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["serve", name] => serve::run(name, None),
        ["serve", name, argument] => serve::run(name, Some(argument)),
        ["drive", name] => drive::run(name, false),
        ["drive", name, "--nodelay"] => drive::run(name, true),
        ["stream", server, keys] => stream::client(server, keys),
        _ => match Options::read(arguments.into_iter()) {
            Ok(Some(options)) => measure(&options),
            Ok(None) => {
                print!("{}", options::HELP);
                Ok(())
            }
            Err(error) => Err(format!("{error}\n\n{}", options::HELP)),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), String> {
    if options.wants_section("table") {
        if options.tsv {
            println!("{}", report::TSV_HEADER);
        }
        let cells =
            table::measure(
                options,
                |cell| if options.tsv { report::tsv(cell) } else { report::table(cell) },
            )?;
        if !options.tsv {
            println!("\nBeside the best peer with as many calls in flight, whatever connections it has:");
            for line in report::bars(&cells) {
                println!("  {line}");
            }
        }
    }
    if options.wants_section("gaps") {
        gaps::print(options)?;
    }
    if options.wants_section("latency") {
        latency::print(options)?;
    }
    if options.wants_section("stream") {
        stream::print(options)?;
    }
    Ok(())
}
