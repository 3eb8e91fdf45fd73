//! Each misuse of the derive, and what the compiler says of it: at which place,
//! and what to write instead. `TRYBUILD=overwrite` writes the texts anew.

#[test]
fn misuse_is_told_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
