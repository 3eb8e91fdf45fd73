//! Tests message codes without options: from a code table, and from the comments of the oldest schema.

mod resolving;

use protoc_gen_riak::resolve::{CodeTable, Options, resolve};
use resolving::{codes, descriptors, operation, proto_dir, resolved, written};
use riak_codegen::model::{Direction, Mode, Schema};

const FILES: [&str; 6] = [
    "riak.proto",
    "riak_dt.proto",
    "riak_kv.proto",
    "riak_search.proto",
    "riak_ts.proto",
    "riak_yokozuna.proto",
];

fn with_codes(table: &str) -> Options {
    let table = CodeTable::parse("codes.csv", table).unwrap();
    Options { codes: Some(table), ..Options::default() }
}

fn table() -> String {
    std::fs::read_to_string(codes()).unwrap()
}

fn methods(schema: &Schema) -> Vec<String> {
    let services = schema.services();
    services
        .flat_map(|service| {
            let name = &service.name;
            service.operations.iter().map(move |operation| format!("{name}.{}", operation.name))
        })
        .collect()
}

#[test]
fn a_table_alone_pairs_by_name() {
    let (schema, notices) = resolved(&proto_dir(), &FILES, &with_codes(&table()));
    let services: Vec<&str> = schema.services().map(|service| service.name.as_str()).collect();
    assert_eq!(services, ["Riak", "RiakDt", "RiakKv", "RiakSearch", "RiakTs", "RiakYokozuna"]);
    let methods = methods(&schema);
    for method in ["Riak.Ping", "RiakKv.Get", "RiakKv.ListKeys", "RiakDt.Fetch", "RiakTs.Query", "RiakTs.Ttb"]
    {
        assert!(methods.iter().any(|found| found == method), "{method} in {methods:?}");
    }
    // No stream is inferred to be unary.
    for code in [17, 23, 40, 98] {
        assert!(matches!(operation(&schema, code).mode, Mode::Stream { .. }), "{code}");
    }
    for code in [15, 25, 90] {
        assert!(matches!(operation(&schema, code).mode, Mode::Conditional { .. }), "{code}");
    }
    for service in schema.services() {
        assert_eq!(service.error.unwrap().code, 0);
    }
    assert!(operation(&schema, 104).raw);
    // A response with an unrelated name cannot be inferred: code 20 answers 31.
    let without_method = |code| {
        let mut operations = schema.services().flat_map(|service| &service.operations);
        operations.all(|operation| operation.request_code != code)
    };
    for code in [31, 32, 56, 57, 60, 210, 218, 255] {
        assert!(without_method(code), "{code}");
    }
    let said = |text: &str| notices.iter().any(|notice| notice.contains(text));
    assert!(said("codes.csv:10:3: RpbGetReq (9) is answered by one RpbGetResp (10)"));
    assert!(said("RpbListKeysReq (17) is answered by many (the last with \"done\") RpbListKeysResp (18)"));
    assert!(said("no code is called RpbGetBucketTypeResp: RpbGetBucketTypeReq (31) gets its type"));
    assert!(said("the schema has no message RpbPingReq (1): it is taken for a frame without a body"));
    assert!(said("riak_repl.proto is not among the schemas: 3 of its codes"));
    assert!(said("RpbErrorResp (0) may stand in for any answer"));
    // Every inferred operation has a notice.
    let pairs = notices.iter().filter(|notice| notice.contains("is answered by")).count();
    assert_eq!(pairs, methods.len());
}

#[test]
fn a_table_alone_gives_every_code_its_message() {
    let (schema, _) = resolved(&proto_dir(), &FILES, &with_codes(&table()));
    assert_eq!(schema.frames.len(), 101);
    for frame in &schema.frames {
        let foreign = (128..=130).contains(&frame.code);
        assert_eq!(frame.message.is_none(), foreign, "{}", frame.name);
        let nested = [102, 103].contains(&frame.code);
        assert_eq!(frame.direction == Direction::Nested, nested, "{}", frame.name);
        if let Some(id) = frame.message {
            assert_eq!(schema.message(id).code, Some(frame.code));
        }
    }
    let ping = schema.messages.iter().find(|message| message.full_name == "RpbPingReq").unwrap();
    assert_eq!(
        (ping.path.module.as_slice(), ping.ref_name.as_str()),
        (&["riak".to_owned()][..], "RpbPingReqRef")
    );
    assert!(schema.files[ping.file.0].messages.iter().any(|id| schema.message(*id) == ping));
}

#[test]
fn options_take_precedence_over_the_table() {
    let overlay = ["riak_services.proto"];
    let (plain, _) = resolved(&proto_dir(), &overlay, &Options::default());
    let (schema, notices) = resolved(&proto_dir(), &overlay, &with_codes(&table()));
    assert_eq!(methods(&schema), methods(&plain));
    assert_eq!(notices, [""; 0]);
    let added: Vec<u8> = schema
        .frames
        .iter()
        .filter(|frame| plain.frames.iter().all(|known| known.code != frame.code))
        .map(|frame| frame.code)
        .collect();
    assert_eq!(added, [102, 103]);
    // A private extension gets a code and a method in addition to the declared ones.
    let extended = format!("{}35,RpbCloneReq,riak_kv\n36,RpbCloneResp,riak_kv\n", table());
    let (schema, notices) = resolved(&proto_dir(), &overlay, &with_codes(&extended));
    let clone = operation(&schema, 35);
    assert_eq!((clone.rust_name.as_str(), clone.response_code), ("clone", 36));
    assert_eq!(schema.services().filter(|service| service.name == "RiakKv").count(), 1);
    assert_eq!(notices.len(), 3);
}

#[test]
fn a_table_that_contradicts_the_schema_is_a_fault() {
    let set = descriptors(&proto_dir(), &["riak_services.proto"]);
    let options = with_codes("9,RpbPutReq,riak_kv\n250,RpbGetReq,riak_kv\n");
    let faults = resolve(&set, &["riak_services.proto".to_owned()], &options).unwrap_err().to_string();
    let lines: Vec<&str> = faults.lines().collect();
    assert_eq!(lines.len(), 2, "{faults}");
    assert!(lines[0].starts_with("codes.csv:1:3: code 9 is that of RpbGetReq in the schema"), "{faults}");
    assert!(lines[1].starts_with("codes.csv:2:5: RpbGetReq has the code 9 already"), "{faults}");
}

#[test]
fn table_without_files_puts_messages_beside_their_counterparts() {
    let dir = written(&[("my/own.proto", "message GetReq {}\nmessage Note { optional Note next = 1; }")]);
    let options = with_codes("1,GetReq\n2,GetResp\n3,Note\n4,PingReq\n5,PingResp\n6,frames\n");
    let (schema, _) = resolved(dir.path(), &["my/own.proto"], &options);
    let module = |name: &str| {
        let found = schema.messages.iter().find(|message| message.full_name == name).unwrap();
        found.path.module.join("::")
    };
    assert_eq!(module("GetResp"), "my::own");
    assert_eq!(module("PingReq"), "frames");
    let services: Vec<_> =
        schema.services().map(|service| (&*service.name, service.operations.len())).collect();
    // The message `frames` has the name that the added file's service would get.
    assert_eq!(services, [("Own", 1), ("Frames_", 1)]);
    let file = schema.files.last().unwrap();
    assert_eq!((file.name.as_str(), file.emit, file.messages.len()), ("frames.proto", true, 3));
    let note = schema.frames.iter().find(|frame| frame.name == "Note").unwrap();
    assert_eq!(note.direction, Direction::Nested);
}

#[test]
fn codes_in_the_comments_of_the_oldest_schema() {
    let text = r"
/* -------------------------------------------------------------------
**
** Licensed under some license
**
** Messages are framed by length and code:
**
** 0 - RpbErrorResp
** 1 - RpbPingReq - 0 length
** 2 - RpbPingResp (pong) - 0 length
** 11 - RpbPutReq
** 12 - RpbPutResp - 0 length
** 15 - RpbListBucketsReq - 0 length
** 16 - RpbListBucketsResp{1,}
** 17 - RpbListKeysReq
** 18 - RpbListKeysResp{1,}
**
** -----------------------------------------------------------------*/

message RpbErrorResp {
    required bytes errmsg = 1;
    required uint32 errcode = 2;
}
message RpbPutReq { required bytes bucket = 1; }
message RpbListBucketsResp { repeated bytes buckets = 1; }
message RpbListKeysReq { required bytes bucket = 1; }
message RpbListKeysResp { repeated bytes keys = 1; optional bool done = 2; }
";
    let dir = written(&[("riakclient.proto", text)]);
    let (schema, notices) = resolved(dir.path(), &["riakclient.proto"], &Options::default());
    let codes: Vec<u8> = schema.frames.iter().map(|frame| frame.code).collect();
    assert_eq!(codes, [0, 1, 2, 11, 12, 15, 16, 17, 18]);
    let methods = methods(&schema);
    let expected = ["Ping", "Put", "ListBuckets", "ListKeys"].map(|name| format!("Riakclient.{name}"));
    assert_eq!(methods, expected);
    assert!(matches!(operation(&schema, 17).mode, Mode::Stream { done: 1 }));
    assert_eq!(operation(&schema, 15).mode, Mode::Unary);
    assert!(
        notices.iter().any(|notice| notice.contains("many by the table, but nothing in it marks the last"))
    );
    // A table in the options takes precedence over comments.
    let (schema, _) = resolved(dir.path(), &["riakclient.proto"], &with_codes("17,RpbListKeysReq\n"));
    assert_eq!(schema.frames.len(), 1);
}

#[test]
fn numbers_in_comments_are_not_always_codes() {
    let text = "// Levels:\n// 0 - none\n// 1 - GetReq of others\n// 2 - FooReq\nmessage A {}";
    let dir = written(&[("a.proto", text)]);
    let (schema, notices) = resolved(dir.path(), &["a.proto"], &Options::default());
    assert!(schema.frames.is_empty() && notices.is_empty());
}
