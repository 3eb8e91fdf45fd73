//! Tests the behaviour of generated code. The code is checked in, compared with the generator's
//! current output, and compiled here.

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

// Shadows macros that generated code must not use unqualified. The test modules above do use them.
#[allow(unused_macros, reason = "defined only to shadow the real macro")]
macro_rules! write {
    () => {};
}
#[allow(unused_macros, reason = "defined only to shadow the real macro")]
macro_rules! assert {
    () => {};
}

// Generated from tests/fixtures/foreign; riak_client_is_fresh.rs checks that it is current.
#[allow(unreachable_pub, reason = "usually the root module of a crate")]
#[rustfmt::skip]
#[path = "generated/mod.rs"]
mod generated;
