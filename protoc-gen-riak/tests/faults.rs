//! Tests how mistakes are reported: all faults, each at its place, in one run that writes nothing.

mod generating;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::SystemTime;

use generating::{Schemas, command};
use protoc_gen_riak::{Config, Error};

/// Schemas with faults of every kind, each on a line of its own, and the expected diagnostics: a line
/// with a fault ends with a comment that contains the column and the text.
const FILES: [(&str, &str); 3] = [
    (
        "a.proto",
        r#"syntax = "proto2";
import "b.proto";
import "riak_options.proto";
message GetReq {
  optional bytes key = 1;
  optional Nowhere lost = 2; //! 12: there is no type `Nowhere`: declare it, or import the file that declares it
  optional int32 twice = 1; //! 26: `twice` has the number 1 of `key` in line 5: choose another
  reserved 10 to 12;
  optional int32 kept = 11; //! 25: the number 11 of `kept` is reserved in line 8: choose another
  optional int32 high = 536870912; //! 25: `high` has a number that is too high: numbers of fields go up to 536870911
}
message GetResp {
  optional bytes value = 1;
  optional bytes done = 2;
}
message Other {
  option (riak.code) = 7;
}
message Third {
  option (riak.code) = 7; //! 3: code 7 of Third is that of Other already (a.proto:17): one code stands for one message
  option (riak.cod) = 8; //! 10: there is no option `(riak.cod)`: did you mean `(riak.code)`?
}
service Store {
  rpc Get (GetReq) returns (stream GetResp) {
    option (riak.operation).request = 9;
    option (riak.operation).response = 10;
    option (riak.operation).done = "done"; //! 5: GetResp.done is not a singular bool, which Store.Get needs
  }
  rpc Put (Other) returns (GetResp) {
    option (riak.operation) = { request: 9 response: 10 }; //! 5: Other has the code 7 already (a.proto:17) and cannot have 9 as well: a message is the body of one frame
  }
  rpc Lose (Nowhere) returns (GetResp) { //! 13: there is no type `Nowhere`: declare it, or import the file that declares it
    option (riak.operation) = { request: 20 response: 10 };
  }
}
"#,
    ),
    (
        "b.proto",
        r#"syntax = "proto3";
import "a.proto"; //! 8: circular imports: a.proto -> b.proto -> a.proto; move what the files share into one that imports neither
message B {
  required int32 a = 1; //! 3: proto3 has no required fields: leave `required` out of `a`
}
"#,
    ),
    (
        "c.proto",
        r#"syntax = "proto2";
message C {
  optional int32 = 1; //! 18: expected the name of the field, found `=`
  optional Nowhere lost = 2;
}
"#,
    ),
];

/// Writes the schemas of [`FILES`], and returns them with the diagnostics that they should give.
fn faulty(dir: &Path) -> (Schemas, Vec<String>) {
    let mut expected = Vec::new();
    for (name, text) in FILES {
        let path = dir.join(name);
        for (number, line) in text.lines().enumerate() {
            if let Some((_, fault)) = line.split_once("//! ") {
                expected.push(format!("{}:{}:{fault}", path.display(), number + 1));
            }
        }
        fs::write(&path, text).unwrap();
    }
    (Schemas::below(dir), expected)
}

/// Returns the contents of an output directory, and when it was written.
fn written(dir: &Path) -> (String, SystemTime, usize) {
    let path = dir.join("a.rs");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    (fs::read_to_string(&path).unwrap(), modified, fs::read_dir(dir).unwrap().count())
}

#[track_caller]
fn assert_lines(text: &str, expected: &[String]) {
    let plain = |line: &str| line.split_once(':').map_or(String::new(), |_| line.to_owned());
    let found: Vec<String> = text.lines().map(plain).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_fault_of_every_file_in_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let (schemas, expected) = faulty(dir.path());
    assert!(expected.len() > 6, "{expected:?}");
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("a.rs"), "as it was\n").unwrap();
    let before = written(out.path());

    let output = command(&schemas, &[], out.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_lines(&String::from_utf8(output.stderr).unwrap(), &expected);
    assert_eq!(written(out.path()), before);

    let error = Config::new().out_dir(out.path()).compile(&schemas.files, &[&schemas.dir]).unwrap_err();
    assert_lines(&error.to_string(), &expected);
    assert!(matches!(error, Error::Schema(faults) if faults.len() == expected.len()));
    assert_eq!(written(out.path()), before);

    // The `codes` command reports the same faults.
    let codes =
        run(&["codes", "-I", dir.path().to_str().unwrap(), dir.path().join("a.proto").to_str().unwrap()]);
    assert_eq!(codes.status.code(), Some(1));
    let of_c = |line: &&String| !line.contains("c.proto");
    assert_lines(
        &String::from_utf8(codes.stderr).unwrap(),
        &expected.iter().filter(of_c).cloned().collect::<Vec<_>>(),
    );
}

#[test]
fn consequences_of_a_fault_are_not_reported() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"syntax = "proto2";
import "riak_options.proto";
message Req { optional bool stream = 0; }
message Resp { optional Bool done = 1; }
message Alone { optional bytes text = 1 [defualt = "x"]; }
service S {
  option (riak.error) = { code: 0 type: "Alone" text: "text" };
  rpc A (Req) returns (stream Resp) {
    option (riak.operation) = { request: 1 response: 2 done: "done" stream_if: "stream" };
  }
  rpc B (Gone) returns (Resp) { option (riak.operation) = { request: 3 response: 2 }; }
  rpc C (Alone) returns (Alone) { option (riak.operation) = { request: 4 response: 4 no_such: 1 }; }
}
"#;
    fs::write(dir.path().join("a.proto"), text).unwrap();
    let output = command(&Schemas::below(dir.path()), &[], dir.path());
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> =
        text.lines().filter_map(|line| line.rsplit_once("a.proto:")).map(|(_, line)| line).collect();
    let places: Vec<&str> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(places, ["3", "4", "5", "11", "12"], "{text}");
}

#[test]
fn names_that_an_unreadable_file_may_declare_are_not_reported() {
    let text = r#"syntax = "proto2";
import "riak_options.proto";
import "b.proto";
message Req {}
message Resp { optional bytes value = 1; }
service S {
  option (riak.error) = { code: 0 type: "b.Fault" text: "text" };
  rpc A (Req) returns (Resp) {
    option (riak.operation) = { request: 1 response: 2 timeout: "t" alternative { code: 3 type: "b.Other" } };
  }
}
"#;
    for (lost, place) in [(None, "a.proto:3:8: "), (Some("package b; message Fault {"), "b.proto:1:")] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.proto"), text).unwrap();
        if let Some(text) = lost {
            fs::write(dir.path().join("b.proto"), text).unwrap();
        }
        let output = command(&Schemas::below(dir.path()).only(&["a.proto"]), &[], dir.path());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.lines().count() == 2 && text.contains(place), "{text}");
        // A fault that does not depend on the missing file is reported as well.
        assert!(text.contains("Req has no field \"t\""), "{text}");
    }
}

#[test]
fn corrected_schema_is_generated() {
    let dir = tempfile::tempdir().unwrap();
    let (schemas, _) = faulty(dir.path());
    for (name, text) in FILES {
        // Remove the lines with faults, and what depends on them.
        let lines = text.lines().filter(|line| !line.contains("//! "));
        let text: Vec<&str> = lines.collect();
        let text = text.join("\n").replace("rpc Put (Other) returns (GetResp) {\n  }", "");
        let text = text.replace("    option (riak.operation) = { request: 20 response: 10 };\n  }\n", "");
        let text = text
            .replace("returns (stream GetResp)", "returns (GetResp)")
            .replace("  optional Nowhere lost = 2;\n", "");
        fs::write(dir.path().join(name), text).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let output = command(&schemas, &[], out.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.path().join("a.rs").exists());
    // A second run writes nothing, since nothing has changed.
    let before = written(out.path());
    assert!(command(&schemas, &[], out.path()).status.success());
    assert_eq!(written(out.path()), before);
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_protoc-gen-riak")).args(args).output().unwrap()
}

#[test]
fn exit_code_distinguishes_usage_errors_from_schema_faults() {
    let root = generating::root();
    let riak = root.join("../proto/riak.proto");
    let (riak, include) = (riak.to_str().unwrap(), root.join("../proto"));
    let include = include.to_str().unwrap();
    for (args, said) in [
        (&["generat"][..], "there is no command generat: there are generate, codes and include-dir"),
        (&["generate", "-I", include, riak], "say where to write to: -o OUT"),
        (&["generate", "-o", "x"], "no .proto files were named"),
        (&["generate", "-o"], "-o has no value"),
        (&["generate", "-o", "x", "--borowed=true", riak], "did you mean borrowed?"),
        (&["generate", "-o", "x", "--client=maybe", riak], "write true or false, and not maybe"),
        (
            &["generate", "-o", "x", "-I", include, "--owned=false", riak],
            "set client, server and code_tables to false",
        ),
        (
            &["generate", "-o", "x", "-I", include, "--owned=false", "--borrowed=false", riak],
            "there is no message left without borrowed forms",
        ),
        (&["codes", "--format=xml", "-I", include, riak], "xml"),
    ] {
        let output = run(args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(said) && text.contains("--help"), "{args:?}: {text}");
        assert!(output.stdout.is_empty());
    }
    // A missing file is not a fault of the command line.
    let output = run(&["generate", "-o", "x", "-I", include, "no_such.proto"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no_such.proto"));
}

#[test]
fn started_at_a_terminal_it_prints_usage() {
    // `script` provides a terminal; skip the test if it is not available.
    let program = env!("CARGO_BIN_EXE_protoc-gen-riak");
    let mut script = Command::new("script");
    script.args(["-qec", program, "/dev/null"]).stdin(std::process::Stdio::null());
    let Some(output) = script.output().ok().filter(|_| cfg!(target_os = "linux")) else {
        eprintln!("skipped: there is no program `script` that takes a command");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("this is a plugin that protoc starts") && text.contains("--help"), "{text}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn without_a_request_it_prints_usage() {
    // Standard input is empty: neither a terminal nor a request from protoc.
    let output = run(&[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("protoc") && text.lines().count() <= 3, "{text}");
    let help = run(&["--help"]);
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for setting in ["codes", "overlay", "extern_path", "riak_client", "bytes", "code_tables", "--riak_opt"] {
        assert!(text.contains(setting), "{setting} is not in the help");
    }
}
