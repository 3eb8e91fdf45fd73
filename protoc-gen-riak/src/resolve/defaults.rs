//! Parses declared defaults from the text in descriptors.
//!
//! Invariant: a literal that is returned fits the type of its field.

use riak_codegen::model::{Literal, Type};

/// Parses the default of a field of this type. For an enum, `values` are the
/// names of its values.
///
/// # Errors
///
/// A text that says what is wrong with the default.
pub(crate) fn parse(text: &str, ty: Type, values: &[&str]) -> Result<Literal, String> {
    let literal = match ty {
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => {
            text.parse::<i32>().ok().map(|value| Literal::Int(value.into()))
        }
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => text.parse().ok().map(Literal::Int),
        Type::Uint32 | Type::Fixed32 => text.parse::<u32>().ok().map(|value| Literal::Uint(value.into())),
        Type::Uint64 | Type::Fixed64 => text.parse().ok().map(Literal::Uint),
        Type::Float | Type::Double => float(text).map(Literal::Float),
        Type::Bool => text.parse().ok().map(Literal::Bool),
        Type::String => Some(Literal::Text(text.to_owned())),
        Type::Bytes => unescape(text).map(Literal::Bytes),
        Type::Enum(_) => values.iter().position(|name| *name == text).map(Literal::Enum),
        Type::Message(_) | Type::Group(_) => None,
    };
    literal.ok_or_else(|| format!("\"{text}\" is no value of the field's type"))
}

fn float(text: &str) -> Option<f64> {
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" | "-nan" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

/// Undoes the C escapes that descriptors use for bytes.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            out.push(first);
            continue;
        }
        let (&escape, tail) = rest.split_first()?;
        rest = tail;
        let byte = match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            b'x' | b'X' => number(&mut rest, 16, 2, 0)?,
            b'0'..=b'7' => number(&mut rest, 8, 2, escape - b'0')?,
            other => other,
        };
        out.push(byte);
    }
    Some(out)
}

/// Continues a number that starts with `start` by up to `most` digits.
fn number(rest: &mut &[u8], radix: u32, most: usize, start: u8) -> Option<u8> {
    let mut value = u32::from(start);
    for _ in 0..most {
        let Some((&digit, tail)) = rest.split_first() else {
            break;
        };
        let Some(digit) = char::from(digit).to_digit(radix) else {
            break;
        };
        value = value * radix + digit;
        *rest = tail;
    }
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use riak_codegen::model::EnumId;

    #[test]
    fn numbers() {
        assert_eq!(parse("-5", Type::Sint64, &[]), Ok(Literal::Int(-5)));
        assert_eq!(parse("4294967291", Type::Uint32, &[]), Ok(Literal::Uint(4_294_967_291)));
        assert!(parse("4294967291", Type::Int32, &[]).is_err());
        assert_eq!(parse("-inf", Type::Float, &[]), Ok(Literal::Float(f64::NEG_INFINITY)));
        assert_eq!(parse("1.5e3", Type::Double, &[]), Ok(Literal::Float(1500.0)));
        assert!(matches!(parse("nan", Type::Double, &[]), Ok(Literal::Float(nan)) if nan.is_nan()));
        assert_eq!(parse("true", Type::Bool, &[]), Ok(Literal::Bool(true)));
    }

    #[test]
    fn names_and_text() {
        let ty = Type::Enum(EnumId(0));
        assert_eq!(parse("B", ty, &["A", "B"]), Ok(Literal::Enum(1)));
        assert!(parse("C", ty, &["A", "B"]).unwrap_err().contains("\"C\""));
        assert_eq!(parse("a\\n", Type::String, &[]), Ok(Literal::Text("a\\n".to_owned())));
        assert_eq!(
            parse(r#"a\n\"\\\001\x7f\377"#, Type::Bytes, &[]),
            Ok(Literal::Bytes(vec![b'a', b'\n', b'"', b'\\', 1, 0x7f, 0xff]))
        );
    }
}
