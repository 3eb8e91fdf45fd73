//! Splits the text of a `.proto` file into tokens.
//!
//! Comments and white space are not tokens: they are the text between two tokens, from which
//! `comments` reads them.
//!
//! Invariant: the last token is [`Kind::End`], or [`Kind::Bad`] at the first invalid token; tokens
//! do not overlap and are in the order of the text.

use super::text::Span;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Int,
    Float,
    Str,
    Symbol,
    /// The end of the text.
    End,
    /// An invalid token, which the lexer's fault describes.
    Bad,
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// A syntax error: its offset, and a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// Returns all tokens of a text, and the fault of the last one if it is [`Kind::Bad`].
pub(crate) fn lex(text: &str) -> (Vec<Token>, Option<Fault>) {
    let mut lexer = Lexer { text, at: 0, start: 0 };
    let mut tokens = Vec::new();
    if text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    loop {
        match lexer.next() {
            Ok(token) => {
                tokens.push(token);
                if token.kind == Kind::End {
                    return (tokens, None);
                }
            }
            Err(fault) => {
                let start = lexer.start;
                tokens.push(Token { kind: Kind::Bad, span: Span { start, end: start } });
                return (tokens, Some(fault));
            }
        }
    }
}

/// Reports whether a byte is white space between tokens.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

fn is_ident(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The start of the current token, or of an unterminated comment before it.
    start: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.at < self.text.len() && keep(self.peek(0)) {
            self.at += 1;
        }
    }

    fn skip_gap(&mut self) -> Result<(), Fault> {
        loop {
            self.skip_while(is_space);
            self.start = self.at;
            match (self.peek(0), self.peek(1)) {
                (b'/', b'/') => self.skip_while(|byte| byte != b'\n'),
                (b'/', b'*') => self.skip_block_comment()?,
                _ => return Ok(()),
            }
            if let Some(zero) = self.text[self.start..self.at].find('\0') {
                return Err(Fault::new(
                    self.start + zero,
                    "the character '\\0' cannot stand in a comment either: save the file as UTF-8 text",
                ));
            }
        }
    }

    fn skip_block_comment(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let body = &self.text[start + 2..];
        let Some(end) = body.find("*/") else {
            return Err(Fault::new(start, "this comment has no end: close it with `*/`"));
        };
        // A slash directly before the closing `*/` does not open a comment.
        if let Some(nested) = body[..end].find("/*") {
            return Err(Fault::new(
                start + 2 + nested,
                "`/*` within a comment: comments do not nest, close the outer one first",
            ));
        }
        self.at = start + 2 + end + 2;
        Ok(())
    }

    fn next(&mut self) -> Result<Token, Fault> {
        self.skip_gap()?;
        let start = self.at;
        let first = self.peek(0);
        let kind = if start == self.text.len() {
            Kind::End
        } else if first.is_ascii_alphabetic() || first == b'_' {
            self.skip_while(is_ident);
            Kind::Ident
        } else if first.is_ascii_digit() || (first == b'.' && self.peek(1).is_ascii_digit()) {
            self.number()?
        } else if first == b'"' || first == b'\'' {
            self.string(first)?;
            Kind::Str
        } else if first.is_ascii_graphic() {
            self.at += 1;
            Kind::Symbol
        } else {
            let found = self.text[start..].chars().next().unwrap_or_default();
            return Err(Fault::new(
                start,
                format!(
                    "the character {found:?} cannot stand here: outside of strings and comments \
                     a schema is ASCII text"
                ),
            ));
        };
        let end = self.at;
        Ok(Token { kind, span: Span { start, end } })
    }

    fn number(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let mut kind = Kind::Int;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            self.at += 2;
            if !self.peek(0).is_ascii_hexdigit() {
                return Err(Fault::new(start, "`0x` needs hexadecimal digits after it"));
            }
            self.skip_while(|byte| byte.is_ascii_hexdigit());
        } else {
            self.skip_while(|byte| byte.is_ascii_digit());
            if self.peek(0) == b'.' {
                kind = Kind::Float;
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
            if matches!(self.peek(0), b'e' | b'E') {
                kind = Kind::Float;
                self.at += 1;
                if matches!(self.peek(0), b'+' | b'-') {
                    self.at += 1;
                }
                if !self.peek(0).is_ascii_digit() {
                    return Err(Fault::new(start, "an exponent needs digits after the `e`"));
                }
                self.skip_while(|byte| byte.is_ascii_digit());
            }
            let digits = &self.text[start..self.at];
            if kind == Kind::Int && digits.len() > 1 && digits.starts_with('0') && digits.contains(['8', '9'])
            {
                return Err(Fault::new(
                    start,
                    "a number that starts with 0 is octal and has no digit 8 or 9: \
                     leave the leading 0 out",
                ));
            }
        }
        if is_ident(self.peek(0)) {
            return Err(Fault::new(self.at, "a number and a name need a space between them"));
        }
        if self.peek(0) == b'.' {
            return Err(Fault::new(self.at, "this number has a second `.`"));
        }
        Ok(kind)
    }

    fn string(&mut self, quote: u8) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip_while(|byte| byte != quote && !matches!(byte, b'\\' | b'\n' | 0));
            if self.at == self.text.len() || matches!(self.peek(0), b'\n' | 0) {
                return Err(Fault::new(
                    start,
                    format!("this string has no end on its line: close it with `{}`", char::from(quote)),
                ));
            }
            if self.peek(0) == quote {
                self.at += 1;
                return Ok(());
            }
            self.at += 1;
            let escaped = self.text[self.at..].chars().next();
            match escaped {
                Some('\n') | None => {}
                Some(c) => self.at += c.len_utf8(),
            }
        }
    }
}

/// Returns the value of an integer token, or `None` if it does not fit 64 bits.
pub(crate) fn int_value(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16).ok()
    } else if text.len() > 1 && text.starts_with('0') {
        u64::from_str_radix(text, 8).ok()
    } else {
        text.parse().ok()
    }
}

/// Appends the value of a string token, given without its quotes, to `bytes`. A fault's offset is
/// relative to `body`.
pub(crate) fn unescape(body: &str, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let mut at = 0;
    while at < body.len() {
        if body.as_bytes()[at] == b'\\' {
            let used = escape(&body[at + 1..], bytes).map_err(|message| Fault::new(at, message))?;
            at += 1 + used;
        } else {
            let end = body[at..].find('\\').map_or(body.len(), |len| at + len);
            bytes.extend_from_slice(&body.as_bytes()[at..end]);
            at = end;
        }
    }
    Ok(())
}

/// Appends the value of an escape sequence, given without its backslash, and returns the length of
/// the sequence.
fn escape(text: &str, bytes: &mut Vec<u8>) -> Result<usize, &'static str> {
    let simple = match text.chars().next() {
        Some('a') => 0x07,
        Some('b') => 0x08,
        Some('f') => 0x0c,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('v') => 0x0b,
        Some('\\') => b'\\',
        Some('?') => b'?',
        Some('\'') => b'\'',
        Some('"') => b'"',
        Some('0'..='7') => {
            let (value, used) = digits(text, 8, 3);
            let value = u8::try_from(value).map_err(|_| "an octal escape goes up to `\\377`")?;
            bytes.push(value);
            return Ok(used);
        }
        Some('x' | 'X') => {
            let (value, used) = digits(&text[1..], 16, 2);
            if used == 0 {
                return Err("`\\x` needs hexadecimal digits after it");
            }
            // Two hexadecimal digits fit a byte.
            bytes.push(u8::try_from(value).unwrap_or_default());
            return Ok(1 + used);
        }
        Some('u') => return character(text, 4, bytes),
        Some('U') => return character(text, 8, bytes),
        _ => return Err("no such escape sequence: write a backslash as `\\\\`"),
    };
    bytes.push(simple);
    Ok(1)
}

/// Appends the character of a `\u` or `\U` escape, which has exactly `width` digits.
fn character(text: &str, width: usize, bytes: &mut Vec<u8>) -> Result<usize, &'static str> {
    let (value, used) = digits(&text[1..], 16, width);
    let value = char::from_u32(value)
        .filter(|_| used == width)
        .ok_or("`\\u` needs the 4, `\\U` the 8 hexadecimal digits of a character")?;
    bytes.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(1 + used)
}

/// Parses up to `most` digits at the start of a text, and returns their value and number. `most` is
/// at most 8, so that the value fits.
fn digits(text: &str, radix: u32, most: usize) -> (u32, usize) {
    text.chars()
        .take(most)
        .map_while(|c| c.to_digit(radix))
        .fold((0, 0), |(value, used), digit| (value * radix + digit, used + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let (tokens, _) = lex(text);
        tokens.iter().map(|token| (token.kind, &text[token.span.start..token.span.end])).collect()
    }

    fn fault(text: &str) -> (usize, String) {
        let fault = lex(text).1.expect("a fault");
        (fault.offset, fault.message)
    }

    #[test]
    fn tokens_of_every_kind() {
        assert_eq!(
            kinds("a_1 = 0x1F/* x */.5e-3 'q\\'' ; // end"),
            [
                (Kind::Ident, "a_1"),
                (Kind::Symbol, "="),
                (Kind::Int, "0x1F"),
                (Kind::Float, ".5e-3"),
                (Kind::Str, "'q\\''"),
                (Kind::Symbol, ";"),
                (Kind::End, ""),
            ]
        );
    }

    #[test]
    fn invalid_tokens_are_faults() {
        assert_eq!(fault("a /* b").0, 2);
        assert_eq!(fault("/* a /* b */ */").0, 5);
        assert_eq!(fault("x = \"a\nb").0, 4);
        assert_eq!(fault("x = 'a\\").0, 4);
        assert_eq!(fault("x = 12ab").0, 6);
        assert_eq!(fault("x = 089").0, 4);
        assert_eq!(fault("x = 1e").0, 4);
        assert_eq!(fault("x = 0x").0, 4);
        assert!(fault("ä").1.starts_with("the character 'ä' cannot"));
        assert!(fault("\0").1.starts_with("the character '\\0' cannot"));
    }

    #[test]
    fn nul_characters_are_rejected() {
        for (text, at) in [("// a\0b\n;", 4), ("/* a\0b */;", 4), ("; \0", 2), ("'a\0b'", 0)] {
            assert_eq!(fault(text).0, at, "{text:?}");
        }
    }

    #[test]
    fn values_of_numbers_and_strings() {
        assert_eq!(int_value("0"), Some(0));
        assert_eq!(int_value("010"), Some(8));
        assert_eq!(int_value("0xff"), Some(255));
        assert_eq!(int_value("18446744073709551616"), None);
        let value = |body: &str| {
            let mut bytes = Vec::new();
            unescape(body, &mut bytes).map(|()| bytes)
        };
        assert_eq!(value(r#"a\n\"\'\\"#).unwrap(), b"a\n\"'\\");
        assert_eq!(value(r"\101\1\x4a\x4\377").unwrap(), b"A\x01J\x04\xff");
        assert_eq!(value(r"\u00e4x").unwrap(), "äx".as_bytes());
        assert_eq!(value(r"\U0001F600").unwrap(), "😀".as_bytes());
        assert!(value(r"\400").is_err());
        assert!(value(r"\q").is_err());
        assert!(value(r"\u12").is_err());
        assert!(value(r"\x").is_err());
    }
}
