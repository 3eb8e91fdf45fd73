//! Tests the model of Riak's own schemas: every code, operation and stream.

mod resolving;

use protoc_gen_riak::resolve::Options;
use resolving::{codes, operation, proto_dir, resolved};
use riak_codegen::model::{
    Absent, Cost, Direction, Kind, Message, Mode, Operation, Presence, Retry, Schema, Type,
};

/// Codes in the table that no option gives, since they are never frames.
const NESTED: [u8; 2] = [102, 103];

fn riak() -> Schema {
    let (schema, notices) = resolved(&proto_dir(), &["riak_services.proto"], &Options::default());
    assert_eq!(notices, [""; 0]);
    schema
}

fn message<'s>(schema: &'s Schema, name: &str) -> &'s Message {
    schema.messages.iter().find(|message| message.full_name == name).unwrap()
}

#[test]
fn every_request_is_an_operation() {
    let schema = riak();
    let operations: Vec<&Operation> = schema.services().flat_map(|service| &service.operations).collect();
    assert_eq!(operations.len(), 57);
    for service in schema.services() {
        let error = service.error.expect(&service.name);
        let message = schema.message(error.message);
        assert_eq!((error.code, message.full_name.as_str()), (0, "RpbErrorResp"));
        assert_eq!(message.fields[error.text].name, "errmsg");
        assert_eq!(message.fields[error.number.unwrap()].name, "errcode");
    }
    for operation in operations {
        assert_eq!(schema.message(operation.request).code, Some(operation.request_code));
        assert_eq!(schema.message(operation.response).code, Some(operation.response_code));
    }
}

#[test]
fn the_code_table_is_upstreams() {
    let schema = riak();
    let found: Vec<(u8, &str)> =
        schema.frames.iter().map(|frame| (frame.code, frame.name.as_str())).collect();
    let table = std::fs::read_to_string(codes()).unwrap();
    let expected: Vec<(u8, &str)> = table
        .lines()
        .map(|line| {
            let mut cells = line.split(',');
            (cells.next().unwrap().parse().unwrap(), cells.next().unwrap())
        })
        .filter(|(code, _)| !NESTED.contains(code))
        .collect();
    assert_eq!(found, expected);
    for frame in &schema.frames {
        let expected = match frame.name.as_str() {
            "TsTtbMsg" | "RpbStartTls" => Direction::Both,
            name if name.ends_with("Req") => Direction::Request,
            _ => Direction::Response,
        };
        assert_eq!(frame.direction, expected, "{}", frame.name);
        assert_eq!(frame.raw, frame.code == 104);
        assert!(frame.message.is_some());
    }
}

#[test]
fn streams_end_where_the_protocol_says() {
    let schema = riak();
    let mut always = Vec::new();
    let mut conditional = Vec::new();
    for operation in schema.services().flat_map(|service| &service.operations) {
        let (done, list) = match operation.mode {
            Mode::Unary => continue,
            Mode::Stream { done } => (done, &mut always),
            Mode::Conditional { done, stream_if } => {
                let switch = &schema.message(operation.request).fields[stream_if];
                assert_eq!((switch.name.as_str(), switch.ty), ("stream", Type::Bool));
                (done, &mut conditional)
            }
        };
        assert_eq!(schema.message(operation.response).fields[done].name, "done");
        list.push(operation.request_code);
    }
    always.sort_unstable();
    conditional.sort_unstable();
    assert_eq!(always, [17, 23, 40, 98]);
    assert!(conditional.starts_with(&[15, 25]), "{conditional:?}");
}

#[test]
fn facts_of_single_operations() {
    let schema = riak();
    let get = operation(&schema, 9);
    assert_eq!((get.rust_name.as_str(), get.absent, get.retry), ("get", Absent::NotFound, Retry::Safe));
    let timeout = get.timeout.unwrap();
    assert_eq!(schema.message(get.request).fields[timeout].name, "timeout");
    let index = operation(&schema, 25);
    assert_eq!(index.alternatives.len(), 1);
    assert_eq!(index.alternatives[0].0, 42);
    assert_eq!(operation(&schema, 210).cost, Cost::Long);
    assert!(operation(&schema, 104).raw);
    let membership = operation(&schema, 206);
    assert!(membership.bodyless && schema.message(membership.request).bodyless);
    assert!(operation(&schema, 255).handshake && operation(&schema, 253).handshake);
    // Aliases: responses that also answer another request.
    for (request, response) in [(31, 20), (32, 22), (56, 12), (57, 14), (60, 12), (128, 10), (218, 221)] {
        assert_eq!(operation(&schema, request).response_code, response);
    }
}

#[test]
fn facts_of_single_fields() {
    let schema = riak();
    let field = |name: &str, field: &str| {
        let fields = &message(&schema, name).fields;
        fields.iter().find(|candidate| candidate.name == field).unwrap().clone()
    };
    assert_eq!(field("RpbGetReq", "r").kind, Kind::Quorum);
    assert_eq!(field("RpbGetResp", "vclock").kind, Kind::VClock);
    assert_eq!(field("RpbAuthReq", "password").kind, Kind::Secret);
    assert_eq!(field("RpbGetReq", "type").rust_name, "r#type");
    assert_eq!(field("RpbErrorResp", "errmsg").presence, Presence::Required);
    let boxed: Vec<String> = schema
        .messages
        .iter()
        .filter(|message| schema.files[message.file.0].emit)
        .flat_map(|message| {
            let boxed = message.fields.iter().filter(|field| field.boxed);
            boxed.map(|field| format!("{}.{}", message.full_name, field.name))
        })
        .collect();
    // Every cycle in Riak's schemas goes through a list.
    assert_eq!(boxed, [""; 0]);
}

#[test]
fn only_what_is_needed_is_emitted() {
    let schema = riak();
    let emitted: Vec<&str> =
        schema.files.iter().filter(|file| file.emit).map(|file| file.name.as_str()).collect();
    let expected = [
        "riak.proto",
        "riak_dt.proto",
        "riak_kv.proto",
        "riak_repl.proto",
        "riak_search.proto",
        "riak_ts.proto",
        "riak_yokozuna.proto",
        "riak_services.proto",
    ];
    assert_eq!(emitted, expected);
    for file in schema.files.iter().filter(|file| file.emit) {
        assert!(!file.docs.lines.is_empty(), "{} is described", file.name);
    }
}

#[test]
fn the_order_of_files_does_not_matter() {
    let files = ["riak.proto", "riak_kv.proto", "riak_services.proto", "riak_ts.proto"];
    let mut backwards = files;
    backwards.reverse();
    let dir = proto_dir();
    let forwards = resolved(&dir, &files, &Options::default());
    assert_eq!(forwards, resolved(&dir, &backwards, &Options::default()));
    assert_eq!(forwards.0, riak());
}
