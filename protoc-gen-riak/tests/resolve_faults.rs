//! Tests faults in a schema's options: one run reports all of them, each at its line.

mod resolving;

use protoc_gen_riak::resolve::{Options, resolve};
use resolving::{descriptors, faults, resolved, written};

const HEAD: &str = r#"syntax = "proto2";
import "riak_options.proto";
message Req { optional bool stream = 1; optional uint32 timeout = 2; repeated bool many = 3; }
message Resp { optional bool done = 1; optional bytes value = 2; optional uint32 number = 3; }
message Other {}
"#;

/// Checks the faults of a schema that starts with [`HEAD`], which has five lines.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = faults(&format!("{HEAD}{text}"), &Options::default());
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_method_needs_codes() {
    check(
        "service S {
  rpc A (Req) returns (Resp) { option (riak.operation) = { request: 1 response: 2 }; }
  rpc B (Other) returns (Resp);
}",
        &["a.proto:8:7: method S.B has no riak.operation option: give it request and response codes"],
    );
}

#[test]
fn codes_are_bytes() {
    check(
        "service S {
  rpc A (Req) returns (Resp) {
    option (riak.operation).request = 256;
    option (riak.operation).response = 300;
  }
}
message M { option (riak.code) = 1000; }",
        &[
            "a.proto:8:5: 256 is not a code for the request of S.A: a code is one byte, 0 to 255",
            "a.proto:9:5: 300 is not a code for the response of S.A: a code is one byte, 0 to 255",
            "a.proto:12:13: 1000 is not a code for M: a code is one byte, 0 to 255",
        ],
    );
}

#[test]
fn response_is_named_once() {
    check(
        "service S {
  rpc A (Req) returns (Resp) {
    option (riak.operation) = { request: 1 response: 2 alternative { code: 2 type: \"Resp\" } };
  }
  rpc B (Other) returns (Resp) {
    option (riak.operation) = { request: 3 response: 2
      alternative: [{ code: 4 type: \"M\" }, { code: 4 type: \"M\" }] };
  }
}
message M {}",
        &[
            "a.proto:8:5: Resp is an answer of S.A already: name each once",
            "a.proto:11:5: M is an answer of S.B already: name each once",
        ],
    );
}

#[test]
fn one_code_stands_for_one_message() {
    check(
        "service S {
  rpc A (Req) returns (Resp) { option (riak.operation) = { request: 1 response: 2 }; }
  rpc B (Other) returns (Resp) { option (riak.operation) = { request: 1 response: 3 }; }
}
message M { option (riak.code) = 7; }
message N {
  option (riak.code) = 7;
}",
        &[
            "a.proto:8:34: code 1 of Other is that of Req already (a.proto:7): one code stands for one message",
            "a.proto:12:3: code 7 of N is that of M already (a.proto:10): one code stands for one message",
        ],
    );
    check(
        "service S {
  rpc A (Req) returns (Resp) { option (riak.operation) = { request: 1 response: 2 }; }
  rpc B (Other) returns (Resp) { option (riak.operation) = { request: 4 response: 3 }; }
  rpc C (Req) returns (Other) { option (riak.operation) = { request: 1 response: 4 }; }
}",
        &[
            "a.proto:8:34: Resp has the code 2 already (a.proto:7) and cannot have 3 as well: a message is the body of one frame",
            "a.proto:9:7: Req is the request of S.A already (a.proto:7): a request belongs to one operation",
        ],
    );
}

#[test]
fn streams_say_how_they_end() {
    check(
        r#"message R2 {} message R3 {} message R4 {} message R5 {} message R6 { optional bool stream = 1; }
service S {
  rpc A (Req) returns (stream Resp) { option (riak.operation) = { request: 1 response: 2 }; }
  rpc B (R2) returns (Resp) { option (riak.operation) = { request: 3 response: 2 done: "done" }; }
  rpc C (R3) returns (stream Resp) { option (riak.operation) = { request: 4 response: 2 done: "don" }; }
  rpc D (R4) returns (stream Resp) { option (riak.operation) = { request: 5 response: 2 done: "value" }; }
  rpc E (R5) returns (Resp) { option (riak.operation) = { request: 6 response: 2 stream_if: "x" }; }
  rpc F (stream R6) returns (Resp) { option (riak.operation) = { request: 7 response: 2 }; }
}
message R7 { repeated bool s = 1; }
service T {
  rpc A (R7) returns (stream Resp) {
    option (riak.operation) = { request: 8 response: 2 done: "done" stream_if: "s" };
  }
}"#,
        &[
            "a.proto:8:39: S.A returns a stream: name the bool of the answer that marks the last frame in \"done\"",
            "a.proto:9:31: S.B has \"done\" and returns no stream: write returns (stream …), or take \"done\" away",
            "a.proto:10:38: Resp has no field \"don\"; did you mean \"done\"?",
            "a.proto:11:38: Resp.value is not a singular bool, which S.D needs",
            "a.proto:12:31: S.E has \"stream_if\" and returns no stream: write returns (stream …), or take \"stream_if\" away",
            "a.proto:13:7: the request of S.F is a stream: a request is one frame, take \"stream\" away",
            "a.proto:18:5: R7.s is not a singular bool, which T.A needs",
        ],
    );
}

#[test]
fn options_name_what_exists() {
    check(
        r#"message Err { optional bytes text = 1; }
service S {
  option (riak.error) = { code: 0 type: "Err" text: "txt" number: "text" };
  rpc A (Req) returns (Resp) {
    option (riak.operation) = { request: 1 response: 2 timeout: "stream" alternative { code: 3 type: ".Othr" } };
  }
  rpc B (Req) returns (Resp) {
    option (riak.operation) = { request: 1 response: 2 raw: true };
  }
  rpc C (Err) returns (Resp) {
    option (riak.operation) = { request: 3 response: 2 retry: IF_CONTEXT };
  }
}
service T { option (riak.error) = { code: 0 type: "Er" text: "text" }; }
service U { option (riak.error) = { code: 0 type: "RpbErrorResp" text: "errmsg" }; }"#,
        &[
            "a.proto:8:3: Err has no field \"txt\"; did you mean \"text\"?",
            "a.proto:8:3: Err.text is not a singular uint32, which an error frame needs",
            "a.proto:10:5: Req.stream is not a singular integer, which S.A needs",
            "a.proto:10:5: message \".Othr\" is not known; did you mean \"Other\"?",
            "a.proto:12:7: S.B is raw, and Req has fields: the body of a raw frame is not protobuf",
            "a.proto:16:5: S.C is repeated only with a causal context, and Err has none: mark the field that is one, [(riak.kind) = VCLOCK] or CONTEXT, or choose another \"retry\"",
            "a.proto:19:13: message \"Er\" is not known; did you mean \"Err\"?",
            "a.proto:20:13: message \"RpbErrorResp\" is not known: declare it, or import the file that declares it",
        ],
    );
}

#[test]
fn facts_fit_their_fields() {
    check(
        r#"option (riak.field) = { path: "Resp.valu" kind: KEY };
option (riak.field) = { path: "Resp.value" kind: QUORUM };
option (riak.field) = { path: "Rsp.value" kind: KEY };
option (riak.field) = { path: "value" kind: KEY };
option (riak.field) = { path: "Resp.value" kind: KEY };
option (riak.field) = { path: "Resp.value" kind: BUCKET };
message M { optional bool b = 1 [(riak.kind) = VCLOCK]; }"#,
        &[
            "a.proto:6:1: Resp has no field \"valu\"; did you mean \"value\"?",
            "a.proto:7:1: Resp.value cannot be QUORUM: that is a singular uint32",
            "a.proto:8:1: message \"Rsp\" is not known; did you mean \"Resp\"?",
            "a.proto:9:1: \"value\" names no field: write Message.field",
            "a.proto:11:1: Resp.value is KEY and cannot be BUCKET as well",
            "a.proto:12:34: M.b cannot be VCLOCK: that is a bytes field",
        ],
    );
}

/// A `protoc` that reads another version of `riak_options.proto` may give such numbers.
#[test]
fn an_unknown_kind_is_a_fault_wherever_it_is_given() {
    let text = r#"option (riak.field) = { path: "Resp.value" kind: KEY };
message M { optional bytes b = 1 [(riak.kind) = KEY]; }"#;
    let dir = written(&[("a.proto", &format!("{HEAD}{text}"))]);
    let mut set = descriptors(dir.path(), &["a.proto"]);
    let file = set.file.iter_mut().find(|file| file.name() == "a.proto").unwrap();
    let at_field = file.message_type.iter_mut().find(|message| message.name() == "M").unwrap();
    let at_field = at_field.field[0].options.mut_or_insert_default().special_fields.mut_unknown_fields();
    at_field.remove(50104);
    at_field.add_varint(50104, 99);
    let by_path = file.options.mut_or_insert_default().special_fields.mut_unknown_fields();
    by_path.remove(50102);
    by_path.add_length_delimited(50102, b"\x0a\x0aResp.value\x10\x63".to_vec());
    let faults = resolve(&set, &["a.proto".to_owned()], &Options::default()).unwrap_err();
    let faults = faults.to_string();
    assert_eq!(
        faults.lines().collect::<Vec<_>>(),
        [
            "a.proto:6:1: the kind of Resp.value: 99 is not a kind that this generator knows: riak_options.proto lists them",
            "a.proto:7:35: the kind of M.b: 99 is not a kind that this generator knows: riak_options.proto lists them",
        ]
    );
}

#[test]
fn a_body_is_raw_or_not() {
    check(
        "message E {}
service S {
  rpc A (E) returns (Other) { option (riak.operation) = { request: 1 response: 2 raw: true }; }
  rpc B (Req) returns (Other) { option (riak.operation) = { request: 3 response: 2 }; }
}",
        &["a.proto:9:33: Other is not raw here, and raw elsewhere (a.proto:8): a code has one kind of body"],
    );
    check(
        "message E {}
service S {
  rpc A (E) returns (Other) {
    option (riak.operation) = { request: 1 response: 2 raw: true alternative { code: 3 type: \"Resp\" } };
  }
}",
        &["a.proto:8:7: S.A is raw, and Resp has fields: the body of a raw frame is not protobuf"],
    );
}

/// This is only a notice, since a server with another implementation may set the field.
#[test]
fn required_field_that_an_error_does_not_set_is_a_notice() {
    let text = r#"syntax = "proto2";
import "riak_options.proto";
message Err { required string text = 1; required uint32 number = 2; required bytes trace = 3; }
message Pong { optional bool ok = 1; }
service S {
  option (riak.error) = { code: 0 type: "Err" text: "text" number: "number" };
  rpc Ping (Pong) returns (Pong) { option (riak.operation) = { request: 1 response: 1 }; }
}"#;
    let dir = written(&[("a.proto", text)]);
    let (_, notices) = resolved(dir.path(), &["a.proto"], &Options::default());
    let expected = "a.proto:6:3: Err.trace is required, and a generated server sends errors without it: make it optional";
    assert_eq!(notices, [expected]);
}

#[test]
fn a_request_without_a_body_requires_nothing() {
    check(
        "message Ask { required bytes name = 1; }
service S {
  rpc A (Ask) returns (Resp) {
    option (riak.operation) = { request: 1 response: 2 bodyless: true };
  }
}",
        &[
            "a.proto:9:5: S.A is sent without a body, and Ask requires \"name\": make the field optional, or take \"bodyless\" away",
        ],
    );
}
