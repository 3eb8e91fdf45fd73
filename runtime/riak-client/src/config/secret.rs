//! [`Secret`]: a password that does not end up in logs.
//!
//! Invariant: nothing but [`Secret::expose`] prints it.

use std::fmt;

/// A text, such as a password, that `Debug` never prints.
///
/// ```
/// let password = riak_client::Secret::from("hunter2");
/// assert_eq!(format!("{password:?}"), "…");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
