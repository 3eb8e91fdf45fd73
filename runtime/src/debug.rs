//! `Debug` formatting of bytes: as text where they are text.
//!
//! Invariant: the output is a single line and distinguishes text from other bytes.

use std::collections::BTreeMap;
use std::fmt;

/// Bytes that print as a string literal if they are UTF-8 text without control
/// characters, and as a byte-string literal otherwise.
///
/// ```
/// use riak_runtime::debug::Bytes;
///
/// assert_eq!(format!("{:?}", Bytes(b"key")), r#""key""#);
/// assert_eq!(format!("{:?}", Bytes(b"\x83l")), r#"b"\x83l""#);
/// ```
pub struct Bytes<'a>(pub &'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::str::from_utf8(self.0).ok();
        match text.filter(|text| !text.chars().any(|char| char.is_control() && !char.is_whitespace())) {
            Some(text) => write!(f, "{text:?}"),
            None => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// A value that prints the bytes inside it as [`Bytes`] does, at any depth.
pub trait Show {
    /// Formats the value.
    ///
    /// # Errors
    ///
    /// If the formatter fails.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl Show for &[u8] {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Bytes(self), f)
    }
}

impl Show for Vec<u8> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Bytes(self), f)
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_ref().map(Shown), f)
    }
}

impl Show for Vec<&[u8]> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|bytes| Bytes(bytes))).finish()
    }
}

impl Show for Vec<Vec<u8>> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|bytes| Bytes(bytes))).finish()
    }
}

impl<K: fmt::Debug, V: Show> Show for BTreeMap<K, V> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, Shown(value)))).finish()
    }
}

/// Adapter that uses [`Show`] as the `Debug` implementation of a value.
pub struct Shown<'a, T: ?Sized>(pub &'a T);

impl<T: Show + ?Sized> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// Placeholder for a secret in `Debug` output: prints `<secret>` instead of the value.
pub struct Secret;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_inside_containers_print_as_text() {
        let keys: Vec<&[u8]> = vec![b"a", b"\xff"];
        assert_eq!(format!("{:?}", Shown(&keys)), r#"["a", b"\xff"]"#);
        assert_eq!(format!("{:?}", Shown(&Some(&b"x"[..]))), r#"Some("x")"#);
        assert_eq!(format!("{:?}", Shown(&None::<Vec<u8>>)), "None");
        let map = BTreeMap::from([(1, &b"x"[..]), (2, b"\xff")]);
        assert_eq!(format!("{:?}", Shown(&map)), r#"{1: "x", 2: b"\xff"}"#);
        assert_eq!(format!("{:?}", Bytes(b"a\nb")), r#""a\nb""#);
        assert_eq!(format!("{Secret:?}"), "<secret>");
    }
}
