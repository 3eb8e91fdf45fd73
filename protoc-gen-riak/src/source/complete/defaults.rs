//! Writes defaults as descriptors have them: as text, for all types.

use std::fmt::Write as _;

use crate::source::ast::{Scalar, Value, ValueKind};
use crate::source::types::Kind;

/// Returns the text of a default that has been checked to fit its type.
pub(super) fn default_text(kind: Kind, value: &Value) -> String {
    match (&value.kind, kind) {
        (ValueKind::Text(bytes), Kind::Scalar(Scalar::Bytes)) => escaped(bytes),
        (ValueKind::Text(bytes), _) => String::from_utf8_lossy(bytes).into_owned(),
        (_, Kind::Scalar(Scalar::Double)) => {
            let value = value.real();
            shortest(value, [15, 17], |text| text.parse() == Ok(value))
        }
        (_, Kind::Scalar(Scalar::Float)) => {
            let value = value.real_32();
            shortest(f64::from(value), [6, 9], |text| text.parse() == Ok(value))
        }
        (ValueKind::Ident { text, .. }, _) => text.clone(),
        (ValueKind::Int { negative, magnitude }, _) => {
            let sign = if *negative && *magnitude != 0 { "-" } else { "" };
            format!("{sign}{magnitude}")
        }
        (ValueKind::Float(value), _) => value.to_string(),
        (ValueKind::Message(_) | ValueKind::List(_), _) => String::new(),
    }
}

/// Formats a number with the smaller of two digit counts if that is exact, else with the larger.
fn shortest(value: f64, digits: [usize; 2], is_same: impl Fn(&str) -> bool) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let short = general(value, digits[0]);
    if is_same(&short) { short } else { general(value, digits[1]) }
}

/// Formats a number with up to `digits` significant digits, like C's `%g`: with an exponent if the
/// number is very small or large.
fn general(value: f64, digits: usize) -> String {
    let scientific = format!("{value:.*e}", digits - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let most = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= most {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(most - 1 - exponent).unwrap_or_default();
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// Escapes bytes as in a C string.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' => out.push_str("\\\""),
            b'\'' => out.push_str("\\'"),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_as_in_c() {
        for (value, text) in [
            (0.0, "0"),
            (1.5, "1.5"),
            (-100_000.0, "-100000"),
            (1e15, "1e+15"),
            (1e14, "100000000000000"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(general(value, 15), text);
        }
    }

    #[test]
    fn bytes_are_escaped() {
        assert_eq!(escaped(b"a\"\n\\\x00\xff"), "a\\\"\\n\\\\\\000\\377");
    }
}
