//! What generated code does, by code that is generated, checked in, compared
//! with what the generator makes now, and compiled here.

#[path = "golden/bytes.rs"]
mod bytes;
#[path = "golden/calls.rs"]
mod calls;
#[path = "golden/enums.rs"]
mod enums;
#[path = "golden/faults.rs"]
mod faults;
#[path = "golden/forms.rs"]
mod forms;
#[path = "golden/presence.rs"]
mod presence;
#[path = "golden/secrets.rs"]
mod secrets;

// What generated code has no use for; behind all else, which has.
#[allow(unused_macros, reason = "they are only in the way")]
macro_rules! write {
    () => {};
}
#[allow(unused_macros, reason = "they are only in the way")]
macro_rules! assert {
    () => {};
}

// Generated from tests/fixtures/foreign; kept fresh by riak_client_is_fresh.rs.
#[allow(unreachable_pub, reason = "the root module of a crate of its own, usually")]
#[rustfmt::skip]
#[path = "generated/mod.rs"]
mod generated;
