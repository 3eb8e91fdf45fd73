//! Numbers as tokens.
//!
//! Invariant: a minus sign is a separate token, since Rust literals have no sign.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Returns the tokens of a signed integer.
pub(super) fn int(value: impl Into<i64>) -> TokenStream {
    let value = value.into();
    let literal = Literal::u64_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

/// Returns the tokens of a finite floating-point number, given as its `Debug`
/// output: the shortest digits, with a decimal point or an exponent.
pub(super) fn float(text: &str) -> TokenStream {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (quote!(-), digits),
        None => (TokenStream::new(), text),
    };
    // The `Debug` output of a finite number is a valid literal.
    let literal = digits.parse::<Literal>().unwrap_or_else(|_| Literal::f64_unsuffixed(0.0));
    quote!(#minus #literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_sign_is_a_separate_token() {
        assert_eq!(int(i64::MIN).to_string().replace(' ', ""), "-9223372036854775808");
        assert_eq!(int(7).to_string(), "7");
        assert_eq!(int(-1).into_iter().count(), 2);
        assert_eq!(float(&format!("{:?}", -0.0f64)).to_string().replace(' ', ""), "-0.0");
        assert_eq!(float(&format!("{:?}", 1e300f64)).to_string(), "1e300");
        assert_eq!(float(&format!("{:?}", f32::MAX)).to_string(), "3.4028235e38");
    }
}
