//! Which files, types and services are emitted.

use super::*;

#[test]
fn files_that_are_emitted() {
    let dir = written(&[
        (
            "mine.proto",
            "import \"used.proto\"; import \"opts.proto\"; import \"riak_options.proto\";\nmessage M { option (o) = 1; option (riak.code) = 9; optional Used u = 1; }",
        ),
        ("used.proto", "import \"deep.proto\"; message Used {}"),
        ("deep.proto", "message Deep {}"),
        (
            "opts.proto",
            "import \"google/protobuf/descriptor.proto\"; import \"only.proto\"; extend google.protobuf.MessageOptions { optional uint32 o = 60000; optional OnlyOptions p = 60001; }",
        ),
        ("only.proto", "message OnlyOptions {}"),
        (
            "more.proto",
            "import \"google/protobuf/descriptor.proto\"; import \"only.proto\"; extend google.protobuf.FieldOptions { optional Fact fact = 60000; } message Fact { optional E e = 1; } enum E { A = 0; } message More {}",
        ),
        ("uses.proto", "import \"riak_options.proto\"; message Uses { optional riak.Kind kind = 1; }"),
    ]);
    let emitted = |files: &[&str]| {
        let (schema, _) = resolved(dir.path(), files, &Options::default());
        let emitted = schema.files.into_iter().filter(|file| file.emit);
        emitted.map(|file| file.name).collect::<Vec<_>>()
    };
    assert_eq!(emitted(&["mine.proto"]), ["deep.proto", "used.proto", "mine.proto"]);
    assert_eq!(emitted(&["only.proto"]), ["only.proto"]);
    // They are left out even if they are named, unless they contain anything else.
    assert_eq!(emitted(&["riak_options.proto", "opts.proto"]), [""; 0]);
    assert_eq!(emitted(&["more.proto"]), ["only.proto", "more.proto"]);
    assert_eq!(emitted(&["uses.proto"]), ["riak_options.proto", "uses.proto"]);
    let descriptor = ["google/protobuf/descriptor.proto"];
    let set = descriptors(dir.path(), &descriptor);
    let (schema, _) = resolving::resolved_set(&set, &descriptor, &Options::default());
    assert!(schema.files.iter().all(|file| !file.emit));
}

fn mapped(rules: &[(&str, &str)]) -> Options {
    let rules = rules.iter().map(|&(path, target)| (path.to_owned(), target.to_owned()));
    Options { extern_paths: rules.collect(), ..Options::default() }
}

#[test]
fn extern_paths() {
    let dir = written(&[
        ("mine.proto", "import \"riak_kv.proto\"; import \"riak.proto\"; import \"riak_options.proto\"; import \"t.proto\";
            message MineReq { optional RpbContent content = 1; optional t.Known known = 2; optional t.Known.In inner = 3; }
            service Mine { rpc Do (MineReq) returns (RpbGetResp) { option (riak.operation) = { request: 240 response: 10 }; } }"),
        ("t.proto", "package t; message Known { message In {} } message Other {}"),
    ]);
    let options = mapped(&[
        ("riak_kv.proto", "::riak_client"),
        ("riak.proto", "::riak_client"),
        (".t.Known", "::mine::Time"),
    ]);
    let (schema, notices) = resolved(dir.path(), &["mine.proto"], &options);
    assert_eq!(notices, [""; 0]);
    let path = |name: &str| {
        let path = &message(&schema, name).path;
        (path.root.as_deref(), path.module.join("::"), path.name.as_str())
    };
    assert_eq!(path("RpbContent"), (Some("::riak_client"), "riak_kv".to_owned(), "RpbContent"));
    assert_eq!(path("t.Known"), (Some("::mine"), String::new(), "Time"));
    assert_eq!(path("t.Known.In"), (Some("::mine"), "time".to_owned(), "In"));
    assert_eq!(message(&schema, "t.Known").ref_name, "TimeRef");
    assert_eq!(path("t.Other"), (None, "t".to_owned(), "Other"));
    let codes: Vec<(u8, &str)> =
        schema.frames.iter().map(|frame| (frame.code, frame.name.as_str())).collect();
    assert_eq!(codes, [(10, "RpbGetResp"), (240, "MineReq")]);
    let t = schema.files.iter().find(|file| file.name == "t.proto").unwrap();
    assert!(t.emit && t.messages.len() == 1);
    // An unused rule is not a fault.
    resolved(dir.path(), &["mine.proto"], &Options::default());
}

#[test]
fn invalid_extern_paths() {
    let dir = written(&[(
        "a.proto",
        "import \"riak_kv.proto\"; import \"riak_options.proto\";
service S { rpc Do (RpbGetReq) returns (RpbGetResp) { option (riak.operation) = { request: 9 response: 10 }; } }",
    )]);
    let set = descriptors(dir.path(), &["a.proto"]);
    let run = |rules: &[(&str, &str)]| match resolve(&set, &["a.proto".to_owned()], &mapped(rules)) {
        Ok((_, notices)) => notices.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(faults) => faults.to_string(),
    };
    assert!(run(&[("riak_kv.proto", "riak-client")]).contains("\"riak-client\" is not a Rust path"));
    let compared = "it was compared with the name of each file (a/b.proto), package (.a.b) and type (.a.b.Type), and \
                    fits none";
    for (path, hint) in [
        ("nosuch.proto", ""),
        ("riak_kw.proto", "; did you mean \"riak_kv.proto\"?"),
        ("proto/riak_kv.proto", "; did you mean \"riak_kv.proto\"?"),
        (".riak.RpbGetReq", "; did you mean \".RpbGetReq\"?"),
        // Only the path of a type needs the dot.
        ("RpbGetReq", "; did you mean \".RpbGetReq\"?"),
        (".RpbGetRep", "; did you mean \".RpbGetReq\"?"),
    ] {
        let expected = format!("extern_path={path}=::x has no effect: {compared}{hint}");
        assert_eq!(run(&[(path, "::x")]), expected);
    }
    let foreign = run(&[("riak_kv.proto", "::riak_client")]);
    assert!(
        foreign.starts_with("a.proto:2:9: service S sends RpbGetReq, which an extern path maps"),
        "{foreign}"
    );
}

#[test]
fn services_without_options_are_left_out() {
    let dir = written(&[("a.proto", "message M {}\nservice Rpc { rpc Do (M) returns (M); }")]);
    let (schema, notices) = resolved(dir.path(), &["a.proto"], &Options::default());
    assert_eq!(schema.services().count(), 0);
    assert_eq!(
        notices,
        ["a.proto:2:9: service Rpc has no riak options and is left out: its methods are no operations"]
    );
}

#[test]
fn file_to_generate_must_exist() {
    let dir = written(&[("a.proto", "message M {}")]);
    let set = descriptors(dir.path(), &["a.proto"]);
    let faults = resolve(&set, &["b.proto".to_owned()], &Options::default()).unwrap_err();
    assert_eq!(faults.to_string(), "b.proto is to be generated, but is not among the files that were read");
}
