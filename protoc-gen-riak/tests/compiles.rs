//! Tests that generated code compiles without warnings: by `include!` and as modules, in libraries
//! and programs, in crates of every edition, and with every setting.

mod generating;

use std::fmt::Write as _;

use generating::scratch::{Scratch, Setup};
use generating::{Schemas, Settings, Texts, by_command, by_library, by_protoc, foreign, riak, root};
use protoc_gen_riak::Config;

const DENY: &str = "#![deny(warnings)]\n";

/// Returns the code of both sets of schemas, generated with the same settings.
fn both(settings: Settings<'_>) -> [(&'static str, Texts); 2] {
    [("riak", by_command(&riak(), settings)), ("foreign", by_command(&foreign(), settings))]
}

/// Checks that the code compiles as modules of a library.
#[track_caller]
fn assert_compiles(setup: &Setup<'_>, sets: impl IntoIterator<Item = (&'static str, Texts)>) {
    let scratch = Scratch::new(setup);
    let mut library = DENY.to_owned();
    for (name, texts) in sets {
        scratch.generated(&format!("src/{name}"), &texts);
        writeln!(library, "pub mod {name};").unwrap();
    }
    scratch.write("src/lib.rs", &library);
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

/// Returns the code of the foreign schemas, which have everything that settings can affect.
fn only_foreign(settings: Settings<'_>) -> [(&'static str, Texts); 1] {
    [("foreign", by_command(&foreign(), settings))]
}

#[test]
fn as_modules() {
    assert_compiles(&Setup { name: "modules-2021", edition: "2021", ..Setup::PLAIN }, both(&[]));
    assert_compiles(&Setup { name: "modules-2024", ..Setup::PLAIN }, both(&[]));
}

#[test]
fn as_modules_of_a_program() {
    let scratch = Scratch::new(&Setup { name: "program", ..Setup::PLAIN });
    let mut program = DENY.to_owned();
    for (name, texts) in both(&[]) {
        scratch.generated(&format!("src/{name}"), &texts);
        // A private module, with all of its items unused.
        writeln!(program, "mod {name};").unwrap();
    }
    scratch.write("src/main.rs", &(program + "fn main() {}\n"));
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn under_lints_of_every_kind() {
    let scratch = Scratch::new(&Setup { name: "lints", ..Setup::PLAIN });
    scratch.generated("src/riak", &by_command(&riak(), &[]));
    let lints = "#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, elided_lifetimes_in_paths)]\n\
                 #![deny(clippy::all, clippy::pedantic, missing_debug_implementations, trivial_casts)]\n\
                 #![forbid(unsafe_code)]\n//! A crate.\n\n/// Generated.\npub mod riak;\n";
    // Attributes of a crate precede its doc comment.
    scratch.write("src/lib.rs", lints);
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
    scratch.cargo("clippy", &[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn by_include_from_a_build_script() {
    // Writes what a build script would write instead of running one, since compiling the generator
    // again would take a minute.
    for (name, edition) in [("include-2021", "2021"), ("include-2024", "2024")] {
        let scratch = Scratch::new(&Setup { name, edition, ..Setup::PLAIN });
        for (dir, schemas) in [("riak", riak()), ("foreign", foreign())] {
            let out = scratch.path("out").join(dir);
            Config::new().out_dir(&out).compile(&schemas.files, &[&schemas.dir]).unwrap();
        }
        let out = scratch.path("out");
        scratch.write(
            "build.rs",
            &format!("fn main() {{ println!(\"cargo:rustc-env=GENERATED={}\"); }}\n", out.display()),
        );
        scratch.write(
            "src/lib.rs",
            &format!(
                "{DENY}pub mod deep {{ pub mod riak {{\n    include!(concat!(env!(\"GENERATED\"), \
                 \"/riak/mod.rs\"));\n}} }}\npub mod foreign {{\n    include!(concat!(env!(\"GENERATED\"), \
                 \"/foreign/mod.rs\"));\n}}\n"
            ),
        );
        scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn in_every_setting() {
    let no_features = Setup { name: "settings-bare", runtime: &[], ..Setup::PLAIN };
    assert_compiles(&no_features, only_foreign(&[("client", "false"), ("server", "false")]));
    let client = Setup { name: "settings-client", runtime: &["client"], ..Setup::PLAIN };
    assert_compiles(&client, only_foreign(&[("server", "false"), ("borrowed", "false")]));
    let server = Setup { name: "settings-server", runtime: &["server"], ..Setup::PLAIN };
    assert_compiles(&server, only_foreign(&[("client", "false"), ("unknown_fields", "false")]));
    let setup = Setup { name: "settings-vec", ..Setup::PLAIN };
    assert_compiles(&setup, only_foreign(&[("bytes", "vec"), ("code_tables", "false")]));
    let all_off =
        [("borrowed", "false"), ("unknown_fields", "false"), ("code_tables", "false"), ("bytes", "vec")];
    assert_compiles(&Setup { name: "settings-least", ..Setup::PLAIN }, only_foreign(&all_off));
    let borrowed = [("owned", "false"), ("client", "false"), ("server", "false"), ("code_tables", "false")];
    let setup = Setup { name: "settings-borrowed", runtime: &[], ..Setup::PLAIN };
    assert_compiles(&setup, only_foreign(&borrowed));
    let plain = [&borrowed[..], &[("unknown_fields", "false")]].concat();
    assert_compiles(&Setup { name: "settings-views", runtime: &[], ..Setup::PLAIN }, only_foreign(&plain));
}

#[test]
fn with_types_of_the_bytes_crate() {
    let more = "bytes = { version = \"1\", default-features = false }\n";
    let setup =
        Setup { name: "settings-bytes", runtime: &["client", "server", "bytes"], more, ..Setup::PLAIN };
    assert_compiles(&setup, only_foreign(&[("bytes", "bytes")]));
}

#[test]
fn behind_features_of_the_crate() {
    let scratch = Scratch::new(&Setup { name: "features", ..Setup::PLAIN });
    let mut library = DENY.to_owned();
    for (name, texts) in only_foreign(&[("client_feature", "clients"), ("server_feature", "servers")]) {
        scratch.generated(&format!("src/{name}"), &texts);
        writeln!(library, "pub mod {name};").unwrap();
    }
    scratch.write("src/lib.rs", &library);
    for features in ["", "clients", "servers", "clients servers"] {
        scratch.check(&["--features", features]).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn with_another_path_of_the_runtime() {
    let scratch = Scratch::new(&Setup { name: "runtime-path", ..Setup::PLAIN });
    scratch.generated("src/foreign", &by_command(&foreign(), &[("runtime", "crate::rt::riak")]));
    scratch.write(
        "src/lib.rs",
        &format!("{DENY}pub mod rt {{ pub use riak_runtime as riak; }}\npub mod foreign;\n"),
    );
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn with_the_types_of_another_crate() {
    let more = format!(
        "riak-client = {{ path = \"{}\", default-features = false }}\n",
        root().parent().unwrap().join("runtime/riak-client").display()
    );
    let scratch = Scratch::new(&Setup { name: "extern", more: &more, ..Setup::PLAIN });
    let schema = "syntax = \"proto2\";\npackage shop;\nimport \"riak.proto\";\nimport \"riak_kv.proto\";\n\
        import \"riak_ts.proto\";\nimport \"riak_options.proto\";\n\
        message Pair { required bytes key = 1; optional bytes value = 2; }\n\
        message PriceReq { required RpbPair pair = 1; repeated Pair pairs = 5; optional Pair more = 6; repeated RpbContent contents = 2; map<string, TsCell> cells = 3; }\n\
        message PriceResp { optional RpbContent content = 1; oneof o { RpbPair one = 2; RpbErrorResp error = 3; }\n\
        optional RpbIndexReq.IndexQueryType kind = 4 [default = range]; message RpbPair { optional bytes b = 1; } }\n\
        service Shop { option (riak.error) = { code: 0 type: \"RpbErrorResp\" text: \"errmsg\" number: \"errcode\" };\n\
        rpc Price(PriceReq) returns (PriceResp) { option (riak.operation) = { request: 210 response: 211 }; } }\n";
    scratch.write("proto/shop.proto", schema);
    let schemas = Schemas::below(scratch.path("proto"));
    let config = Config::new().riak_client("::riak_client").unwrap();
    // The same type can be named through both crates.
    let config = config.extern_path(".shop.Pair", "::riak_client::riak::RpbPair").unwrap();
    scratch.generated("src/shop", &by_library(&schemas, &config).unwrap_or_else(|error| panic!("{error}")));
    let same = "pub fn same(pair: riak_client::riak::RpbPair) -> shop::shop::PriceReq {\n    \
                shop::shop::PriceReq::new(pair)\n}\n";
    scratch.write("src/lib.rs", &format!("{DENY}pub mod shop;\n{same}"));
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn with_every_feature_of_an_edition() {
    // Only protoc reads editions.
    let scratch = Scratch::new(&Setup { name: "edition", ..Setup::PLAIN });
    scratch.write(
        "proto/new.proto",
        "edition = \"2023\";\npackage new;\noption features.enum_type = CLOSED;\n\
         message A { int32 explicit = 1; int32 implicit = 2 [features.field_presence = IMPLICIT];\n\
         string needed = 3 [features.field_presence = LEGACY_REQUIRED]; B group = 4 [features.message_encoding = DELIMITED];\n\
         repeated int32 packed = 5; repeated int32 single = 6 [features.repeated_field_encoding = EXPANDED];\n\
         E closed = 7; O open = 8; }\nmessage B { A a = 1; }\n\
         enum E { ONE = 1; }\nenum O { option features.enum_type = OPEN; NONE = 0; }\n",
    );
    // A later edition, with what it adds: visibility, and imports of options alone.
    scratch.write(
        "proto/newer.proto",
        "edition = \"2024\";\npackage newer;\nimport \"new.proto\";\nimport option \"riak_options.proto\";\n\
         export message C { State state = 1; new.B b = 2; uint32 quorum = 3 [(riak.kind) = QUORUM]; }\n\
         local enum State { STATE_UNKNOWN = 0; STATE_ON = 1; }\n",
    );
    let texts = by_protoc(&Schemas::below(scratch.path("proto")), &[]);
    let newer = &texts["newer.rs"];
    for part in ["pub state: Option<State>", "pub b: Option<B>", "pub quorum: Option<Quorum>"] {
        assert!(newer.contains(part), "{part} is not in\n{newer}");
    }
    let text = &texts["new.rs"];
    for part in [
        "pub explicit: Option<i32>",
        "pub implicit: i32",
        "pub needed: String",
        "wire::put_optional_group(0x23, &self.group",
        "wire::Int32::put_packed(0x2a",
        "wire::Int32::put_repeated(0x30",
        "pub enum E {",
        "pub struct O(pub i32);",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    scratch.generated("src/new", &texts);
    scratch.write("src/lib.rs", &format!("{DENY}pub mod new;\n"));
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn every_future_of_a_client_is_send() {
    let scratch = Scratch::new(&Setup { name: "send", ..Setup::PLAIN });
    let texts = by_command(&riak(), &[]);
    let mut calls = String::new();
    let mut client = "";
    let mut methods = 0;
    let source = &texts["riak_services.rs"];
    for (at, line) in source.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("impl<C: Call> ") {
            client = rest.trim_end_matches("<C> {");
            writeln!(calls, "}}\npub fn of_{methods}<C: Call>(client: &{client}<C>) {{").unwrap();
        }
        let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else { continue };
        let name = &rest[..rest.find('(').unwrap()];
        methods += 1;
        // A signature may span several lines.
        let signature: String = source.lines().skip(at).take(5).collect();
        let signature = &signature[..signature.find('{').unwrap()];
        match signature.split_once("Request<Owned = ") {
            Some((_, request)) => {
                let request = &request[..request.find('>').unwrap()];
                writeln!(calls, "    send(client.{name}({request}::default()));").unwrap();
                writeln!(calls, "    send(client.{name}(&{request}::default()));").unwrap();
                writeln!(calls, "    send(client.{name}({request}Ref::default()));").unwrap();
                writeln!(calls, "    send(client.{name}(&{request}Ref::default()));").unwrap();
            }
            None => writeln!(calls, "    send(client.{name}());").unwrap(),
        }
    }
    assert!(methods > 60, "only {methods} methods, of {client}");
    scratch.generated("src/riak", &texts);
    let uses = [
        "riak",
        "riak_dt",
        "riak_kv",
        "riak_repl",
        "riak_search",
        "riak_services",
        "riak_ts",
        "riak_yokozuna",
    ]
    .map(|module| format!("use crate::riak::{module}::*;\n"));
    scratch.write(
        "src/lib.rs",
        &format!(
            "#![allow(unused_imports, clippy::all)]\npub mod riak;\n{}use riak_runtime::client::Call;\n\
             pub fn send<T: Send>(_: T) {{\n{calls}}}\n",
            uses.concat()
        ),
    );
    // This also checks the futures of servers, by the types in their traits.
    scratch.check(&[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn documentation_is_without_warnings() {
    let scratch = Scratch::new(&Setup { name: "docs", ..Setup::PLAIN });
    let mut library = "#![deny(rustdoc::all)]\n#![allow(rustdoc::missing_crate_level_docs)]\n".to_owned();
    for (name, texts) in both(&[]) {
        scratch.generated(&format!("src/{name}"), &texts);
        writeln!(library, "pub mod {name};").unwrap();
    }
    scratch.write("src/lib.rs", &library);
    scratch.cargo("doc", &["--no-deps"]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn other_runtime_version_is_rejected_with_advice() {
    let scratch = Scratch::new(&Setup { name: "skew", ..Setup::PLAIN });
    let mut texts = by_command(&foreign().only(&["acme/mod.proto"]), &[]);
    let root = texts.get_mut("mod.rs").unwrap();
    *root = root.replace("GENERATED_CODE_VERSION == 1", "GENERATED_CODE_VERSION == 999");
    assert!(root.contains("999"), "{root}");
    scratch.generated("src/skewed", &texts);
    scratch.write("src/lib.rs", "pub mod skewed;\n");
    let error = scratch.check(&[]).unwrap_err();
    assert!(error.contains("use the same version of protoc-gen-riak and riak-runtime"), "{error}");
}
