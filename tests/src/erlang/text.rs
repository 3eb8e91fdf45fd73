//! Binaries as Erlang prints them with `~p`.
//!
//! Invariant: Erlang reads a printed binary as the same bytes.

use std::fmt::Write;

/// Prints `<<"text">>` if all bytes are printable Latin-1, else `<<1,2,3>>`.
pub(crate) fn binary(bytes: &[u8]) -> String {
    let printable = |byte: &u8| matches!(byte, 8..=13 | 27 | 32..=126 | 160..=255);
    let mut text = String::from("<<");
    if bytes.is_empty() {
        // Nothing between the brackets.
    } else if bytes.iter().all(printable) {
        text.push('"');
        for byte in bytes {
            match byte {
                8 => text.push_str("\\b"),
                9 => text.push_str("\\t"),
                10 => text.push_str("\\n"),
                11 => text.push_str("\\v"),
                12 => text.push_str("\\f"),
                13 => text.push_str("\\r"),
                27 => text.push_str("\\e"),
                b'"' => text.push_str("\\\""),
                b'\\' => text.push_str("\\\\"),
                byte => text.push(char::from(*byte)),
            }
        }
        text.push('"');
    } else {
        for (index, byte) in bytes.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma}{byte}");
        }
    }
    text.push_str(">>");
    text
}

#[cfg(test)]
mod tests {
    use super::binary;

    #[test]
    fn printable_bytes_are_quoted_and_others_are_numbers() {
        assert_eq!(binary(b"no_such_type"), "<<\"no_such_type\">>");
        assert_eq!(binary(b""), "<<>>");
        assert_eq!(binary(&[1, 2, 200]), "<<1,2,200>>");
        assert_eq!(binary(b"a\"b\n"), "<<\"a\\\"b\\n\">>");
    }
}
