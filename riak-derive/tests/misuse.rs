//! Misuses of the derive, and the error for each: its span, and what to write instead.
//! `TRYBUILD=overwrite` updates the expected errors.

#[test]
fn misuse_is_reported_at_its_span() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
