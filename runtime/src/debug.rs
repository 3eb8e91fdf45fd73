//! How bytes print in `Debug`: as text where they are text.
//!
//! Invariant: what is printed is one line, and tells text from other bytes.

use std::collections::BTreeMap;
use std::fmt;

/// Bytes, printed as a string literal if they are UTF-8 text without control
/// characters, else as a byte-string literal.
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

/// A value that prints bytes as [`Bytes`] does, wherever they are inside it.
pub trait Show {
    /// Prints the value.
    ///
    /// # Errors
    ///
    /// What the formatter gives.
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

/// Makes [`Show`] the `Debug` of a value.
pub struct Shown<'a, T: ?Sized>(pub &'a T);

impl<T: Show + ?Sized> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// Stands for a secret in `Debug`: prints `<secret>` and not the value.
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
