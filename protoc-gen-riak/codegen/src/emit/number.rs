//! Numbers as tokens.
//!
//! Invariant: a minus is a token of its own, since no literal of Rust has one.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// A signed integer.
pub(super) fn int(value: impl Into<i64>) -> TokenStream {
    let value = value.into();
    let literal = Literal::u64_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

/// A finite floating-point number.
pub(super) fn float(value: f64) -> TokenStream {
    let literal = Literal::f64_unsuffixed(value.abs());
    if value.is_sign_negative() { quote!(-#literal) } else { quote!(#literal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_stands_by_itself() {
        assert_eq!(int(i64::MIN).to_string().replace(' ', ""), "-9223372036854775808");
        assert_eq!(int(7).to_string(), "7");
        assert_eq!(int(-1).into_iter().count(), 2);
        assert_eq!(float(-0.0).to_string().replace(' ', ""), "-0.0");
        assert_eq!(float(1e300).into_iter().count(), 1);
    }
}
