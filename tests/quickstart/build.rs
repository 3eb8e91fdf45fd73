//! Generates the client from the schemas in `proto/`, as any crate would from its own schemas.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = "../../proto";
    let files = [
        "riak.proto",
        "riak_kv.proto",
        "riak_dt.proto",
        "riak_search.proto",
        "riak_yokozuna.proto",
        "riak_ts.proto",
        "riak_repl.proto",
        "riak_services.proto",
    ]
    .map(|name| format!("{proto}/{name}"));
    let report = protoc_gen_riak::Config::new().server(false).compile(&files, &[proto])?;

    // The example prints which files were read and written.
    let mut text = String::new();
    for (verb, paths) in [("read", &report.read), ("wrote", &report.written)] {
        for path in paths {
            let lines = fs::read_to_string(path)?.lines().count();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            writeln!(text, "  {verb:<5} {name:<20} {lines:>6} lines")?;
        }
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("report.txt"), text)?;
    Ok(())
}
