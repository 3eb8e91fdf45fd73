//! The cost of a schema to its user: the time from an edited `.proto` to a finished build.
//!
//! Invariant: dependencies are built before anything is timed. Contenders with the same
//! scope are timed in turns, on copies of the schemas, and the smallest time counts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

/// A package below `cost/`, and the scope of the code that it generates.
struct Crate {
    package: &'static str,
    scope: &'static str,
    feature: Option<&'static str>,
}

const CRATES: [Crate; 8] = [
    Crate { package: "cost-riak", scope: "owned", feature: None },
    Crate { package: "cost-prost", scope: "owned", feature: None },
    Crate { package: "cost-rust-protobuf", scope: "owned", feature: None },
    Crate { package: "cost-buffa", scope: "owned", feature: None },
    Crate { package: "cost-riak", scope: "borrowed", feature: Some("borrowed") },
    Crate { package: "cost-quick-protobuf", scope: "borrowed", feature: None },
    Crate { package: "cost-riak", scope: "all", feature: Some("all") },
    Crate { package: "cost-buffa", scope: "all", feature: Some("all") },
];

const BUILDS: [(&str, &[&str]); 3] =
    [("check", &["check"]), ("build", &["build"]), ("release", &["build", "--release"])];

/// The results for a package: the seconds of each build, the emitted lines, and the
/// generator's milliseconds.
struct Cost {
    seconds: [f64; BUILDS.len()],
    lines: u64,
    generator: f64,
}

/// Times the builds and prints them.
pub(crate) fn print(turns: usize, tsv: bool) -> Result<(), String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = here.join("target/build-cost");
    let schemas = scratch.join("schemas");
    copy_schemas(&here.join("../../proto"), &schemas)
        .map_err(|error| format!("cannot copy the schemas: {error}"))?;
    let report = scratch.join("report");
    let mut costs: Vec<Cost> = Vec::new();
    for one in &CRATES {
        eprintln!("note: building what {} ({}) depends on", one.package, one.scope);
        for (_, command) in BUILDS {
            cargo(here, one, command, &schemas, &report)?;
        }
        costs.push(Cost { seconds: [f64::MAX; BUILDS.len()], lines: 0, generator: f64::MAX });
    }
    let mut edits = 1..;
    for _ in 0..turns {
        for (one, cost) in CRATES.iter().zip(&mut costs) {
            for (best, (_, command)) in cost.seconds.iter_mut().zip(BUILDS) {
                edit(&schemas.join("riak_kv.proto"), edits.next().unwrap_or(1))
                    .map_err(|error| format!("cannot edit a schema: {error}"))?;
                let start = Instant::now();
                cargo(here, one, command, &schemas, &report)?;
                *best = best.min(start.elapsed().as_secs_f64());
                let (lines, generator) = read(&report)?;
                cost.lines = lines;
                cost.generator = cost.generator.min(generator);
            }
        }
    }
    if tsv {
        println!("crate\tscope\tcheck_s\tbuild_s\trelease_s\tlines\tgenerator_ms");
    } else {
        println!(
            "A field of a .proto changed, seconds until the build is done (dependencies built, minimum of {turns})"
        );
        println!(
            "  {:<22}{:<10}{:>8}{:>8}{:>9}{:>9}{:>14}",
            "", "scope", "check", "build", "release", "lines", "generator ms"
        );
    }
    for (one, cost) in CRATES.iter().zip(&costs) {
        let name = one.package.trim_start_matches("cost-");
        let [check, build, release] = cost.seconds;
        let Cost { lines, generator, .. } = cost;
        if tsv {
            println!("{name}\t{}\t{check:.2}\t{build:.2}\t{release:.2}\t{lines}\t{generator:.1}", one.scope);
        } else {
            println!(
                "  {name:<22}{:<10}{check:>8.2}{build:>8.2}{release:>9.2}{lines:>9}{generator:>14.1}",
                one.scope
            );
        }
    }
    Ok(())
}

fn copy_schemas(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if let (Some("proto"), Some(name)) = (path.extension().and_then(OsStr::to_str), path.file_name()) {
            fs::write(to.join(name), fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// Edits a schema as its users do: changes the field of a message.
fn edit(schema: &Path, number: u32) -> std::io::Result<()> {
    const MESSAGE: &str = "\nmessage RpbEdited {";
    let mut text = fs::read_to_string(schema)?;
    if let Some(end) = text.find(MESSAGE) {
        text.truncate(end);
    }
    fs::write(schema, format!("{text}{MESSAGE} optional uint32 edit_{number} = {number}; }}\n"))
}

/// Runs a build in the workspace of this crate.
fn cargo(here: &Path, one: &Crate, command: &[&str], schemas: &Path, report: &Path) -> Result<(), String> {
    let program = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut cargo = Command::new(program);
    cargo.args(command).args(["--quiet", "--package", one.package]).current_dir(here);
    // Not the target directory that this program runs from, which cargo has locked.
    cargo.env("CARGO_TARGET_DIR", here.join("target/build-cost/target"));
    cargo.env("COST_SCHEMAS", schemas).env("COST_REPORT", report);
    if let Some(feature) = one.feature {
        cargo.args(["--features", feature]);
    }
    // pb-rs prints to standard output, which is discarded.
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{} does not build:\n{reason}", one.package))
}

/// Reads a build script's report: lines and milliseconds.
fn read(report: &Path) -> Result<(u64, f64), String> {
    let text = fs::read_to_string(report).map_err(|error| format!("no report of a build script: {error}"))?;
    let mut words = text.split_whitespace();
    let lines = words.next().and_then(|word| word.parse().ok());
    let generator = words.next().and_then(|word| word.parse().ok());
    lines.zip(generator).ok_or_else(|| format!("a build script reported `{text}`"))
}
