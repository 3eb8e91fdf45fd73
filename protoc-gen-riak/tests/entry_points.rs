//! Tests that the plugin, the library and the command line write the same text, byte for byte.

mod generating;

use std::fmt::Write as _;

use generating::{Schemas, Settings, Texts, assert_same, by_command, by_library, by_protoc, foreign, riak};
use protoc_gen_riak::{BytesType, Config};

/// Generates code in all three ways, and returns it if all agree.
#[track_caller]
fn agreed(schemas: &Schemas, settings: Settings<'_>, config: &Config) -> Texts {
    let texts = by_library(schemas, config).unwrap_or_else(|error| panic!("{error}"));
    assert_same(&by_command(schemas, settings), &texts, "the command line differs from the library");
    assert_same(&by_protoc(schemas, settings), &texts, "the plugin differs from the library");
    texts
}

#[test]
fn riaks_schemas() {
    let texts = agreed(&riak(), &[], &Config::new());
    // The options file is left out, although `proto/*.proto` names it.
    assert!(riak().files.iter().any(|file| file.ends_with("riak_options.proto")));
    assert!(!texts.contains_key("riak_options.rs"));
    assert!(texts["riak_services.rs"].contains("pub struct RiakKv<C>"));
}

#[test]
fn foreign_schemas() {
    let texts = agreed(&foreign(), &[], &Config::new());
    for name in ["acme.rs", "acme/stock.rs", "acme/stock/part.rs", "acme/mod_.rs", "type/async.rs"] {
        assert!(texts.contains_key(name), "{name} is not among {:?}", texts.keys());
    }
    // Both parsers give the same comments.
    let acme = &texts["acme.rs"];
    for line in [
        "    /// Above the field.\n",
        "    /// Only behind the field.\n",
        "    /// Behind the value.\n",
        "/// with a margin of stars, a \\<tag>, an \\[index\\], `code`, and\n",
        "/// Recursive in every way.\n",
    ] {
        assert!(acme.contains(line), "{line}");
    }
    assert!(!acme.contains("Detached"));
}

#[test]
fn every_setting() {
    let codes = generating::root().join("../tests/fixtures/riak_pb_messages.csv");
    let settings = [
        ("codes", codes.to_str().unwrap()),
        ("bytes", "vec"),
        ("bytes", ".RpbContent.value=bytes"),
        ("unknown_fields", ".RpbPair=false"),
        ("borrowed", "false"),
        ("client_feature", "c"),
        ("server_feature", "s"),
        ("code_tables", "false"),
        ("runtime", "crate::rt"),
        ("extern_path", "riak_repl.proto=::other"),
    ];
    let config = Config::new()
        .codes(&codes)
        .bytes(".", BytesType::Vec)
        .bytes(".RpbContent.value", BytesType::Bytes)
        .unknown_fields(".RpbPair", false)
        .borrowed(false)
        .client_feature("c")
        .server_feature("s")
        .code_tables(false)
        .runtime("crate::rt")
        .unwrap()
        .extern_path("riak_repl.proto", "::other")
        .unwrap();
    let schemas = riak().without(&["riak_services.proto", "riak_repl.proto"]);
    let texts = agreed(&schemas, &settings, &config);
    assert!(texts["riak_kv.rs"].contains("pub value: ::bytes::Bytes"));
    assert!(!texts["riak_kv.rs"].contains("RpbContentRef"));

    let settings = [("client", "false"), ("server", "false")];
    let texts = agreed(&riak(), &settings, &Config::new().client(false).server(false));
    assert!(!texts["riak_services.rs"].contains("RiakKv<"));
    assert!(!texts["riak_services.rs"].contains("RiakKvServer"));
}

#[test]
fn the_order_of_files_does_not_matter() {
    let mut schemas = foreign();
    let texts = by_library(&schemas, &Config::new()).unwrap();
    schemas.files.reverse();
    assert_same(&by_library(&schemas, &Config::new()).unwrap(), &texts, "the order matters");
    assert_same(&by_protoc(&schemas, &[]), &texts, "the order matters");
}

#[test]
fn the_types_of_another_crate() {
    let dir = tempfile::tempdir().unwrap();
    let text = "
        import \"riak.proto\"; import \"riak_kv.proto\"; import \"riak_options.proto\";
        message PriceReq { required RpbPair pair = 1; repeated RpbContent contents = 2; }
        message PriceResp { optional RpbContent content = 1; oneof o { RpbPair one = 2; } }
        service Shop { rpc Price(PriceReq) returns (PriceResp) {
            option (riak.operation) = { request: 210 response: 211 };
        } }";
    std::fs::write(dir.path().join("shop.proto"), format!("syntax = \"proto2\";{text}")).unwrap();
    let settings = [("riak_client", "::riak_client")];
    let config = Config::new().riak_client("::riak_client").unwrap();
    let texts = agreed(&Schemas::below(dir.path()), &settings, &config);
    assert_eq!(texts.keys().collect::<Vec<_>>(), ["any_message.rs", "message_code.rs", "mod.rs", "shop.rs"]);
    assert!(texts["shop.rs"].contains("::riak_client::riak::{"));
}

#[test]
fn borrowed_forms_alone() {
    let settings = [("owned", "false"), ("client", "false"), ("server", "false"), ("code_tables", "false")];
    let config = Config::new().owned(false).client(false).server(false).code_tables(false);
    let texts = agreed(&riak(), &settings, &config);
    let kv = &texts["riak_kv.rs"];
    assert!(kv.contains("pub struct RpbContentRef<'a>") && !kv.contains("pub struct RpbContent "));
    // The borrowed forms then have the comments of the schema.
    assert!(kv.contains("    /// The key.\n    pub key: &'a [u8],"));
}

#[test]
fn many_paths_along_required_fields() {
    // 2^60 paths lead from the first message to the last one.
    let mut text = "syntax = \"proto2\";\nmessage M60 { optional string text = 1; }\n".to_owned();
    for level in 0..60 {
        let next = level + 1;
        writeln!(text, "message M{level} {{ required M{next} left = 1; required M{next} right = 2; }}")
            .unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("paths.proto"), text).unwrap();
    let texts = by_library(&Schemas::below(dir.path().to_owned()), &Config::new()).unwrap();
    assert!(texts["paths.rs"].contains("pub struct M0 {"));
}
