//! Tests overlays: what an older schema lacks is left out with a notice, and nothing else is.

mod source;

use std::path::PathBuf;

use protoc_gen_riak::source::{Loaded, Sources, load};
use source::Files;

const BUILTIN: &[(&str, &str)] = &[
    ("riak_options.proto", include_str!("../proto/riak_options.proto")),
    ("riak_services.proto", include_str!("../proto/riak_services.proto")),
    ("riak.proto", include_str!("../proto/riak.proto")),
    ("riak_kv.proto", include_str!("../proto/riak_kv.proto")),
    ("riak_dt.proto", include_str!("../proto/riak_dt.proto")),
    ("riak_search.proto", include_str!("../proto/riak_search.proto")),
    ("riak_yokozuna.proto", include_str!("../proto/riak_yokozuna.proto")),
    ("riak_ts.proto", include_str!("../proto/riak_ts.proto")),
    ("riak_repl.proto", include_str!("../proto/riak_repl.proto")),
];

const SCHEMA: &str = "syntax = \"proto2\";
message ListReq { required bytes bucket = 1; optional uint32 timeout = 2; optional bool stream = 3; }
message ListResp { repeated bytes keys = 1; optional bool done = 2; }
message GetReq { required bytes key = 1; }
message GetResp { optional bytes value = 1; }
message ErrorResp { required bytes text = 1; required uint32 number = 2; }
";

/// Returns an overlay of the schema in `old.proto`. The lines of `content` start at 10.
fn overlay(content: &str) -> String {
    format!(
        "syntax = \"proto2\";\npackage over;\nimport \"old.proto\";\nimport \"riak_options.proto\";\n\n\n\n\n\n{content}"
    )
}

/// Reads the schema and an overlay of it, and returns the notices too.
fn read(overlay: &str) -> (Loaded, Vec<String>) {
    let files = Files::new(&[("old.proto", SCHEMA), ("over.proto", overlay)]);
    let loaded = load(&Sources {
        include: vec![files.dir().to_owned()],
        files: vec![files.dir().join("old.proto")],
        overlays: vec![files.dir().join("over.proto")],
        builtin: BUILTIN,
    });
    let loaded = loaded.unwrap_or_else(|faults| panic!("{faults}"));
    let notices = loaded.notices.iter().map(|notice| files.shown(notice)).collect();
    (loaded, notices)
}

/// Returns the remaining methods, and the encoded options of their operations.
fn methods(loaded: &Loaded) -> Vec<(String, Vec<u8>)> {
    let file = loaded.set.file.iter().find(|file| file.name() == "over.proto").unwrap();
    let methods = file.service.iter().flat_map(|service| &service.method);
    methods
        .map(|method| {
            let unknown = method.options.special_fields.unknown_fields();
            let operation = unknown.iter().find_map(|(number, value)| match value {
                protobuf::UnknownValueRef::LengthDelimited(bytes) if number == 50100 => Some(bytes.to_vec()),
                _ => None,
            });
            (method.name().to_owned(), operation.unwrap_or_default())
        })
        .collect()
}

#[test]
fn overlay_that_fits_is_kept_unchanged() {
    let (loaded, notices) = read(&overlay(
        "service S {
  option (riak.error) = { code: 0 type: \"ErrorResp\" text: \"text\" number: \"number\" };
  rpc List(ListReq) returns (stream ListResp) {
    option (riak.operation) = { request: 1 response: 2 done: \"done\" stream_if: \"stream\" timeout: \"timeout\"
      alternative { code: 3 type: \"GetResp\" } alternative { code: 4 type: \"ErrorResp\" } };
  }
}
option (riak.field) = { path: \"GetReq.key\" kind: KEY };",
    ));
    assert_eq!(notices, [""; 0]);
    assert_eq!(loaded.to_generate, ["old.proto", "over.proto"]);
    let methods = methods(&loaded);
    assert_eq!(methods.len(), 1);
    // Both alternatives are present.
    let names = ["done", "stream", "timeout", "GetResp", "ErrorResp"];
    for name in names {
        let found = methods[0].1.windows(name.len()).any(|bytes| bytes == name.as_bytes());
        assert!(found, "{name}");
    }
}

#[test]
fn methods_with_missing_messages_are_left_out() {
    let (loaded, notices) = read(&overlay(
        "service S {
  // Of a later release.
  rpc New(NewReq) returns (GetResp); // Gone as well.
  // Stays.
  rpc Get(GetReq) returns (GetResp) { option (riak.operation) = { request: 9 response: 10 }; }
  rpc Newer(GetReq) returns (NewResp);
}",
    ));
    assert_eq!(
        notices,
        [
            "over.proto:12:11: the method `New` is left out: there is no message `NewReq`, its request, in the schemas at hand",
            "over.proto:15:30: the method `Newer` is left out: there is no message `NewResp`, its answer, in the schemas at hand",
        ]
    );
    let left = methods(&loaded);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, "Get");
    let file = loaded.set.file.iter().find(|file| file.name() == "over.proto").unwrap();
    let place = file.source_code_info.location.iter().find(|place| place.path == [6, 0, 2, 0]).unwrap();
    assert_eq!(place.leading_comments(), " Stays.\n");
    assert_eq!(place.leading_detached_comments.len(), 0);
    assert_eq!(place.span[0], 13);
}

#[test]
fn a_stream_never_becomes_a_single_answer() {
    let (loaded, notices) = read(&overlay(
        "service S {
  rpc NoEnd(ListReq) returns (stream GetResp) {
    option (riak.operation) = { request: 1 response: 2 done: \"done\" };
  }
  rpc NoStart(GetReq) returns (stream ListResp) {
    option (riak.operation) = { request: 3 response: 4 done: \"done\" stream_if: \"stream\" };
  }
  rpc Dotted(ListReq) returns (stream GetResp) {
    option (riak.operation).request = 1;
    option (riak.operation).response = 2;
    option (riak.operation).done = \"done\";
  }
}",
    ));
    assert_eq!(
        notices,
        [
            "over.proto:12:62: the method `NoEnd` is left out: its answer `GetResp` has no field `done`, which would end the stream, in the schemas at hand",
            "over.proto:15:80: the method `NoStart` is left out: its request `GetReq` has no field `stream`, which would ask for a stream, so that one answer could not be told from many, in the schemas at hand",
            "over.proto:20:36: the method `Dotted` is left out: its answer `GetResp` has no field `done`, which would end the stream, in the schemas at hand",
        ]
    );
    assert_eq!(methods(&loaded), []);
}

#[test]
fn parts_of_a_method_are_left_out_separately() {
    let (loaded, notices) = read(&overlay(
        "service S {
  rpc A(GetReq) returns (GetResp) {
    option (riak.operation) = { request: 1 response: 2 timeout: \"timeout\", alternative { code: 3 type: \"Lost\" } };
  }
  rpc B(GetReq) returns (GetResp) {
    option (riak.operation) = { request: 1 response: 2
      alternative: [{ code: 3 type: \"Lost\" }, { code: 4 type: \"ListResp\" }, { code: 5 type: \"Gone\" }] };
  }
  rpc C(GetReq) returns (GetResp) {
    option (riak.operation) = { request: 1 response: 2 alternative: [{ code: 3 type: \"Lost\" }] };
  }
}",
    ));
    assert_eq!(
        notices,
        [
            "over.proto:12:65: the time limit of `A` is left out: `GetReq` has no field `timeout` in the schemas at hand",
            "over.proto:12:104: the alternative answer `Lost` of `A` is left out: there is no such message in the schemas at hand",
            "over.proto:16:37: the alternative answer `Lost` of `B` is left out: there is no such message in the schemas at hand",
            "over.proto:16:93: the alternative answer `Gone` of `B` is left out: there is no such message in the schemas at hand",
            "over.proto:19:86: the alternative answer `Lost` of `C` is left out: there is no such message in the schemas at hand",
        ]
    );
    let methods = methods(&loaded);
    assert_eq!(methods[0].1, [8, 1, 16, 2]);
    assert_eq!(methods[1].1, [&[8, 1, 16, 2, 42, 12, 8, 4, 18, 8][..], b"ListResp"].concat());
    assert_eq!(methods[2].1, [8, 1, 16, 2]);
}

#[test]
fn facts_and_errors_about_missing_fields_are_left_out() {
    let (loaded, notices) = read(&overlay(
        "option (riak.field) = { path: \"GetReq.node_confirms\" kind: NODE_CONFIRMS };
option (riak.field) = { path: \"GetReq.key\" kind: KEY };
option (riak.field) = { path: \"Lost.key\" kind: KEY };
service S { option (riak.error) = { code: 0 type: \"Lost\" text: \"text\" }; }
service T { option (riak.error) = { code: 0 type: \"ErrorResp\" text: \"message\" }; }
service U { option (riak.error) = { code: 0 type: \"ErrorResp\" text: \"text\" number: \"errcode\" }; }",
    ));
    assert_eq!(
        notices,
        [
            "over.proto:10:31: the fact about `GetReq.node_confirms` is left out: `GetReq` has no field `node_confirms` in the schemas at hand",
            "over.proto:12:31: the fact about `Lost.key` is left out: there is no message `Lost` in the schemas at hand",
            "over.proto:13:51: the error frame is left out: there is no message `Lost` in the schemas at hand",
            "over.proto:14:51: the error frame is left out: `ErrorResp` has no field `message` in the schemas at hand",
            "over.proto:15:84: the number of the error frame is left out: `ErrorResp` has no field `errcode` in the schemas at hand",
        ]
    );
    let file = loaded.set.file.iter().find(|file| file.name() == "over.proto").unwrap();
    let facts = file.options.special_fields.unknown_fields().iter();
    assert_eq!(facts.filter(|(number, _)| *number == 50102).count(), 1);
}

#[test]
fn errors_in_an_overlay_are_faults() {
    let text = overlay(
        "service S {\n  rpc Get(GetReq) returns (GetResp) { option (riak.operation) = { requst: 1 response: 2 }; }\n}",
    );
    let files = Files::new(&[("old.proto", SCHEMA), ("over.proto", &text)]);
    let faults = load(&Sources {
        include: vec![files.dir().to_owned()],
        files: vec![files.dir().join("old.proto")],
        overlays: vec![files.dir().join("over.proto")],
        builtin: BUILTIN,
    })
    .unwrap_err();
    let faults: Vec<String> = faults.iter().map(|fault| files.shown(fault)).collect();
    assert_eq!(
        faults,
        [
            "over.proto:11:65: `riak.Operation` needs `request` as well",
            "over.proto:11:67: `riak.Operation` has no field `requst`: did you mean `request`?",
        ]
    );
}

#[test]
fn the_overlay_of_riak_fits_a_set_that_lacks_files() {
    // The schemas of an early release: no data types, no search, no time series, fewer fields.
    let files = Files::new(&[
        (
            "riak.proto",
            "message RpbErrorResp { required bytes errmsg = 1; required uint32 errcode = 2; }
message RpbGetServerInfoResp { optional bytes node = 1; optional bytes server_version = 2; }
message RpbPair { required bytes key = 1; optional bytes value = 2; }
message RpbGetBucketReq { required bytes bucket = 1; }
message RpbGetBucketResp { required RpbBucketProps props = 1; }
message RpbBucketProps { optional uint32 n_val = 1; optional bool allow_mult = 2; }",
        ),
        (
            "riak_kv.proto",
            "import \"riak.proto\";
message RpbListKeysReq { required bytes bucket = 1; }
message RpbListKeysResp { repeated bytes keys = 1; optional bool done = 2; }
message RpbIndexReq { required bytes bucket = 1; required bytes index = 2; }
message RpbIndexResp { repeated bytes keys = 1; }",
        ),
    ]);
    let sources = |overlay: &str| Sources {
        include: vec![files.dir().to_owned()],
        files: files.paths(),
        overlays: vec![PathBuf::from(overlay)],
        builtin: BUILTIN,
    };
    let loaded = load(&sources("riak_services.proto")).unwrap_or_else(|faults| panic!("{faults}"));
    let names: Vec<&str> =
        loaded.set.file.iter().map(protobuf::descriptor::FileDescriptorProto::name).collect();
    assert_eq!(
        names,
        [
            "riak.proto",
            "riak_kv.proto",
            "google/protobuf/descriptor.proto",
            "riak_options.proto",
            "riak_services.proto"
        ]
    );
    assert_eq!(loaded.to_generate, ["riak.proto", "riak_kv.proto", "riak_services.proto"]);
    let notices: Vec<String> = loaded.notices.iter().map(ToString::to_string).collect();
    assert!(notices.iter().any(|notice| {
        notice.ends_with("the import of `riak_ts.proto` is left out: the schemas at hand have no such file")
    }));
    let overlay = loaded.set.file.last().unwrap();
    let methods: Vec<_> = overlay.service.iter().flat_map(|service| &service.method).collect();
    let list_keys = methods.iter().find(|method| method.input_type() == ".RpbListKeysReq").unwrap();
    assert!(list_keys.server_streaming());
    assert!(methods.iter().all(|method| method.input_type() != ".RpbIndexReq"));
}

#[test]
fn the_overlay_of_riak_fits_the_built_in_set() {
    let loaded = load(&Sources {
        overlays: vec!["riak_services.proto".into()],
        builtin: BUILTIN,
        ..Sources::default()
    });
    let loaded = loaded.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.notices, []);
    assert_eq!(loaded.to_generate, ["riak_services.proto"]);
    assert_eq!(loaded.read, [""; 0].map(PathBuf::from));
}
