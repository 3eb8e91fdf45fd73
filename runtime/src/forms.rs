//! Compile-time check that the owned and the borrowed form of a derived message name each
//! other and have the same wire format. Only derived code uses it.
//!
//! Invariant: the check runs while a declaration is compiled, and leaves nothing in the
//! program.

/// The members of a declaration: the name of each one that is on the wire, and a text
/// with its number, label, type and default.
pub type Members = &'static [(&'static str, &'static str)];

/// The borrowed form of the message `Owned`, of which that is the owned form. Derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name `{Owned}` as its owned form",
    label = "the two forms of a message name each other",
    note = "write `#[riak(owned = {Owned})]` at the declaration of `{Self}`, a struct with `#[derive(RiakMessage)]`; if it \
            names another message there, leave `borrowed` out here, or write the name of a type of its own"
)]
pub trait BorrowedForm<Owned: OwnedForm<Self>>: Sized {
    /// The members and their wire format.
    const MEMBERS: Members;
}

/// The owned form of the message `Borrowed`, of which that is the borrowed form. Derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name `{Borrowed}` as its borrowed form",
    label = "the two forms of a message name each other",
    note = "write `#[riak(borrowed = …)]`, with the name of `{Borrowed}` without its lifetime, at the declaration of \
            `{Self}`, a struct with `#[derive(RiakMessage)]`; if it names another type there, leave `owned` out here"
)]
pub trait OwnedForm<Borrowed> {}

/// A oneof that may be the owned form of another one. Derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no owned form of a oneof that is written by hand",
    note = "of two `#[riak(oneof)]` enums, the `FooRef<'a>` has `owned = Foo`, and the `Foo` has no attribute for it; both \
            need `#[derive(RiakMessage)]`"
)]
pub trait OwnedOneof {
    /// The members and their wire format.
    const MEMBERS: Members;
}

/// Reports whether a form has a member with this name and these facts.
#[must_use]
pub const fn has_member(form: Members, name: &str, facts: &str) -> bool {
    let mut index = 0;
    while index < form.len() {
        if same(form[index].0, name) {
            return same(form[index].1, facts);
        }
        index += 1;
    }
    false
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let form: Members = &[("a", "1: optional string"), ("ab", "2: required bool")];
        assert!(has_member(form, "ab", "2: required bool"));
        assert!(!has_member(form, "a", "2: required bool"));
        assert!(!has_member(form, "a", "1: optional strin"));
        assert!(!has_member(form, "abc", "2: required bool"));
        assert!(!has_member(form, "", "2: required bool"));
    }
}
