//! The names in a printed schema: those that protoc accepts, and those that are refused before.

mod reading;

use std::fs;

use protoc_gen_riak::Config;
use riak_runtime::RiakMessage;
use riak_runtime::schema::Schema;

use reading::{proto, through_protoc};

/// Prints a schema, checks that protoc and the generator read it, and returns its text.
fn read(schema: &Schema) -> String {
    let text = schema.print().unwrap();
    through_protoc("printed.proto", &text);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("printed.proto");
    fs::write(&file, &text).unwrap();
    let files = Config::new().generate(&[&file], &[dir.path(), &proto()]);
    assert!(!files.unwrap().is_empty(), "nothing is generated of\n{text}");
    text
}

#[test]
fn a_method_may_have_the_name_of_a_message() {
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 240, response = Pong)]
    struct Knock;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 241)]
    struct Pong;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 242, response = User)]
    struct UserReq;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 243)]
    struct User(#[riak(tag = 1)] u32);

    let schema = Schema::new().with::<Knock>().with::<UserReq>().service("Doors");
    assert!(read(&schema).contains("rpc Knock(.Knock) returns (.Pong) {"));
    assert!(read(&schema.package("a.b")).contains("rpc User(.a.b.UserReq) returns (.a.b.User) {"));
}

#[test]
fn schemas_are_checked_once_all_types_are_known() {
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    enum Sign {
        #[default]
        Pos,
        Neg,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Number {
        #[riak(tag = 2)]
        inner: Option<Box<Number>>,
        #[riak(tag = 1, enum, default = "Neg")]
        sign: Option<Sign>,
    }

    assert!(read(&Schema::new().with::<Number>()).contains("default = Neg"));
}

#[test]
fn methods_have_unique_names() {
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 240, response = Done)]
    struct PutReq;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 241, response = Done)]
    struct Put;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 242, response = Done)]
    struct PutRequest;

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 243)]
    struct Done;

    let text = read(&Schema::new().with::<PutReq>().with::<Put>().with::<PutRequest>().service("Puts"));
    for method in ["rpc Put(.PutReq)", "rpc Put2(.Put)", "rpc PutRequest(.PutRequest)"] {
        assert!(text.contains(method), "{text}");
    }
}

#[test]
fn names_that_protoc_refuses_are_refused() {
    #[derive(Clone, Debug, PartialEq, RiakMessage)]
    #[riak(oneof)]
    enum Choice {
        #[riak(tag = 2)]
        C(u32),
        #[riak(tag = 3)]
        D(u32),
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Beside {
        #[riak(tag = 1)]
        c: Option<u32>,
        #[riak(oneof, tags(2, 3))]
        choice: Option<Choice>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct Own {
        #[riak(oneof, tags(2, 3))]
        d: Option<Choice>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    struct User;

    let user = || Schema::new().with::<User>();
    let checks = [
        (Schema::new().with::<Beside>(), "Beside has two members that are called c"),
        (Schema::new().with::<Own>(), "Own has two members that are called d"),
        (user().service("User"), "the service cannot be called User"),
        (user().service("not valid"), "\"not valid\" of the service is not a valid name"),
        (user().service(""), "\"\" of the service is not a valid name"),
        (user().package("a b"), "\"a b\" of the package is not a valid name"),
        (user().package("a..b"), "\"\" of the package is not a valid name"),
    ];
    for (schema, begin) in checks {
        let error = schema.print().unwrap_err().to_string();
        assert!(error.starts_with(begin), "{error}");
    }
}
