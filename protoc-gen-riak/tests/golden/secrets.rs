//! Tests that no form of a message prints its secrets.

use std::fmt::Debug;

use riak_runtime::{Blob, Decode, Framed};

use super::bytes::message;
use super::generated::acme::calls::{Login, LoginRef, login};
use super::generated::{AnyMessage, MessageCode};

/// Checks that the output contains the other fields, but no secret.
#[track_caller]
fn assert_prints_no_secret(printed: &dyn Debug) {
    for text in [format!("{printed:?}"), format!("{printed:#?}")] {
        assert!(text.contains("user") && text.contains("<secret>"), "{text}");
        for secret in ["hunter2", "1234", "one-time", "magic", "104", "68, 75"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn secrets_are_not_printed() {
    let bytes = message()
        .bytes(1, "user")
        .bytes(2, "hunter2")
        .bytes(3, "1234")
        .bytes(4, "one-time")
        .bytes(4, "one-time again")
        .bytes(5, "magic");
    let owned = Login::decode(&bytes.0).unwrap();
    assert_eq!((&owned.password[..], owned.pin.as_deref()), (&b"hunter2"[..], Some("1234")));
    assert_eq!(owned.token, Some(login::Token::Word("magic".to_owned())));
    assert_prints_no_secret(&owned);
    let borrowed = LoginRef::decode(&bytes.0).unwrap();
    assert_eq!(borrowed.password, b"hunter2");
    assert_prints_no_secret(&borrowed);
    assert_prints_no_secret(&Framed::<Login>::decode(Blob::copy_from_slice(&bytes.0)).unwrap());
    assert_eq!(format!("{:?}", owned.token), "Some(Word(<secret>))");
    assert_eq!(format!("{:?}", borrowed.token), "Some(Word(<secret>))");
    let any = AnyMessage::from(owned);
    assert_eq!(any.code(), MessageCode::Login);
    assert_prints_no_secret(&any);
    // Other members of the same oneof are printed.
    assert_eq!(format!("{:?}", login::TokenRef::Key(b"key")), "Key(\"key\")");
    assert_eq!(format!("{:?}", login::Token::Key("key".into())), "Key(\"key\")");
}
