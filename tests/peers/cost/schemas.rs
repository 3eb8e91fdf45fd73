// Shared by the build scripts next to this file: where to find the schemas, and where to
// write the report. The program that times the builds sets both.

/// Riak's schemas with messages.
const SCHEMAS: [&str; 7] = [
    "riak.proto",
    "riak_dt.proto",
    "riak_kv.proto",
    "riak_repl.proto",
    "riak_search.proto",
    "riak_ts.proto",
    "riak_yokozuna.proto",
];

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs `generate` with the schemas' directory, their paths, and an empty output directory,
/// and reports its time and the number of lines that it emitted.
fn timed(generate: impl FnOnce(&std::path::Path, &[std::path::PathBuf], &std::path::Path) -> Outcome) -> Outcome {
    use std::path::{Path, PathBuf};
    println!("cargo::rerun-if-env-changed=COST_SCHEMAS");
    let schemas =
        std::env::var_os("COST_SCHEMAS").map_or_else(|| Path::new("../../../../proto").into(), PathBuf::from);
    let files: Vec<PathBuf> = SCHEMAS.iter().map(|name| schemas.join(name)).collect();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("code");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir(&out)?;
    let start = std::time::Instant::now();
    generate(&schemas, &files, &out)?;
    let took = start.elapsed();
    let mut lines = 0;
    for entry in std::fs::read_dir(&out)? {
        lines += std::fs::read_to_string(entry?.path())?.lines().count();
    }
    if let Some(report) = std::env::var_os("COST_REPORT") {
        std::fs::write(report, format!("{lines} {}", took.as_secs_f64() * 1e3))?;
    }
    Ok(())
}
