//! Measures this project's codec side by side with other implementations.
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml -- --help` says
//! what it takes.

mod cases;
mod contenders;
mod generated;
mod measure;
mod options;
mod report;
mod values;

use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
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
    compare(&options);
    ExitCode::SUCCESS
}

/// Measures the cases and prints them.
fn compare(options: &Options) {
    let wanted = |group| options.wants_group(group);
    let mut done = Vec::new();
    if options.tsv {
        println!("{}", report::TSV_HEADER);
    }
    cases::each(&|name| options.wants_case(name), |mut case| {
        case.measurements.retain(|one| one.group == measure::Group::Floor || wanted(one.group));
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
}
