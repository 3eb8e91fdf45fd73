//! Kinds of errors, by their texts and numbers.
//!
//! Invariant: the texts are ones that a server has sent or that are in its sources.

use super::*;

fn kind(text: &str) -> Kind {
    ServerError::new(text.to_owned(), 0).kind()
}

#[test]
fn texts_have_their_kinds() {
    assert_eq!(kind("timeout"), Kind::Timeout);
    assert_eq!(kind("{insufficient_vnodes,0,need,1}"), Kind::Unavailable);
    assert_eq!(kind("\"Bucket must be allow_mult=true\""), Kind::WrongDataType);
    assert_eq!(kind("`map` is not a supported type"), Kind::WrongDataType);
    assert_eq!(kind("<<\"failed\">>"), Kind::Conflict);
    assert_eq!(kind("Operation '{riak_kv,list_keys}' is not enabled"), Kind::Disabled);
    assert_eq!(kind("Unknown message code: 11"), Kind::NotServed);
    assert_eq!(kind("{precondition,{not_present,<<\"x\">>}}"), Kind::ContextNeeded);
    assert_eq!(kind("\"Counters require bucket property 'allow_mult=true'\""), Kind::WrongDataType);
    assert_eq!(kind("\"non-counter operation on default bucket\""), Kind::WrongDataType);
    assert_eq!(kind("Invalid bucket properties: not_active"), Kind::NoSuchBucketType);
    assert_eq!(kind("Invalid bucket properties: [{n_val,not_integer}]"), Kind::InvalidProperties);
    assert_eq!(kind("No index <<\"famous\">> found."), Kind::NotFound);
    assert_eq!(kind("queue_not_defined"), Kind::InvalidRequest);
    assert_eq!(kind("Error processing stream message: badarg"), Kind::Crashed);
    assert_eq!(kind("timeout of something else"), Kind::Other);
    assert_eq!(kind(""), Kind::Other);
    assert_eq!(ServerError::new(&b"\xff\xfe"[..], 0).kind(), Kind::Other);
}

#[test]
fn numbers_have_a_kind_for_operations_of_riak_ts_only() {
    let of = |served_by, text: &'static str, number| {
        let operation = Operation { served_by, ..crate::client::outgoing::tests::CONDITIONAL.clone() };
        ServerError::new(text, number).of(&operation).kind()
    };
    assert_eq!(of(Some("ts"), "no rows", 1021), Kind::NotFound);
    assert_eq!(of(Some("ts"), "timeout", 1005), Kind::Timeout);
    assert_eq!(of(Some("shop"), "the invoice is locked", 1013), Kind::Other);
    assert_eq!(of(None, "the invoice is locked", 1013), Kind::Other);
}

#[test]
fn a_reason_means_the_same_within_an_error_tuple() {
    for (reason, expected) in [
        ("timeout", Kind::Timeout),
        ("overload", Kind::Overload),
        ("insufficient_vnodes_available", Kind::Unavailable),
        ("", Kind::Other),
        ("badarg", Kind::Other),
    ] {
        assert_eq!((kind(reason), kind(&format!("{{error,{reason}}}"))), (expected, expected), "{reason}");
    }
    assert_eq!(kind("{error,timeout"), Kind::Other);
    assert_eq!(kind("{errors,timeout}"), Kind::Other);
}

#[test]
fn terms_are_recognised_despite_line_breaks() {
    let element = "x".repeat(80);
    for broken in ["{precondition,\n    {not_present,\n        <<", "{precondition,{not_present,\r\n\t<<"] {
        let error = ServerError::new(format!("{broken}\"{element}\">>}}}}"), 0);
        assert_eq!(error.kind(), Kind::ContextNeeded, "{broken:?}");
        assert!(error.text.starts_with(broken.as_bytes()), "the text stays as it is");
    }
    assert_eq!(kind("{error,\n    insufficient_vnodes_available}"), Kind::Unavailable);
    assert_eq!(kind("{error,{insufficient_vnodes,\n    0,need,1}}"), Kind::Unavailable);
    assert_eq!(kind("{precommit_fail,\n    [{field_parsing_failed"), Kind::HookRejected);
    assert_eq!(kind("{\n precondition,{not_present,x}}"), Kind::ContextNeeded);
    // Texts that merely begin alike are not recognised.
    for other in ["{precondition,{not_", "{precondition ,{not_present,x}}", "time out", "{precondition,"] {
        assert_eq!(kind(other), Kind::Other, "{other}");
    }
}

#[test]
fn retryable_kinds_are_not_refusals() {
    for (_, kind) in EXACT_TEXTS.iter().chain(TEXT_PREFIXES) {
        // An error that a retry may avoid is not about the request's content.
        if kind.is_retryable() && *kind != Kind::NotServed {
            assert!(!kind.is_refusal(), "{kind:?}");
        }
    }
    assert!(Kind::NotServed.is_refusal() && !Kind::Crashed.is_refusal());
}

#[test]
fn an_error_names_its_node() {
    let error = ServerError::new("overload", 0).at(Node::new("a", 1));
    assert_eq!(error.to_string(), "a:1 answered with an error: overload");
    let error = ServerError::new("no such table", 1019);
    assert_eq!(error.to_string(), "the server answered with an error (number 1019): no such table");
    let security = ServerError::new("Security is enabled, please STARTTLS first", 0);
    assert_eq!(
        security.to_string(),
        "the server answered with an error: Security is enabled, please STARTTLS first (connect with TLS and a user)"
    );
    let silent = ServerError::new("", 0);
    assert_eq!(silent.to_string(), "the server answered with an error, and does not say which");
}
