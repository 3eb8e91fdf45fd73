//! `riak-declare INCLUDE FILE… OUT`: writes the messages of a schema as declarations of
//! derived types.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [include, files @ .., out] = arguments.as_slice() else {
        eprintln!("usage: riak-declare INCLUDE FILE… OUT");
        return ExitCode::FAILURE;
    };
    let files: Vec<PathBuf> = files.iter().map(|file| include.join(file)).collect();
    match riak_declare::schema(include.clone(), files)
        .and_then(|schema| Ok(std::fs::write(out, riak_declare::declarations(&schema, |_| true))?))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
