//! [`Position`]: the position in a query's results at which the next page begins.
//!
//! Invariant: a continuation is the exact text that Riak returns, base64 of the Erlang
//! term of the page's last result, so that tests can compare it with recorded ones.

use riak_runtime::Blob;

use crate::erlang::{base64, term::Term};
use crate::index::IndexTerm;
use crate::refusal::Refusal;

/// The last result of a page. The next page begins after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The result's term, if the query is for a range of terms.
    pub(crate) term: Option<IndexTerm>,
    pub(crate) key: Blob,
}

impl Position {
    /// Encodes the position to the text that clients echo.
    pub(crate) fn encode(&self) -> Blob {
        let key = Term::binary(&self.key);
        let term = match &self.term {
            None => key,
            Some(IndexTerm::Integer(integer)) => Term::pair(Term::Integer(integer.clone()), key),
            Some(IndexTerm::Bytes(bytes)) => Term::pair(Term::binary(bytes), key),
        };
        base64::encode(&term.encode()).into()
    }

    /// Decodes the text that a client echoed.
    ///
    /// # Errors
    ///
    /// [`Refusal::Crash`] if it is not a continuation: a real node crashes on it.
    pub(crate) fn from_request(continuation: &Blob) -> Result<Self, Refusal> {
        let crash = || Refusal::Crash("error:badarg:[{erlang,binary_to_term}]".to_owned());
        Self::decode(continuation).ok_or_else(crash)
    }

    /// Decodes the text that a client echoed, or returns `None` if it is not valid.
    fn decode(text: &[u8]) -> Option<Self> {
        match Term::decode(&base64::decode(text)?)? {
            Term::Binary(key) => Some(Self { term: None, key: key.into() }),
            Term::Pair(pair) => {
                let (term, Term::Binary(key)) = *pair else { return None };
                let term = match term {
                    Term::Integer(integer) => IndexTerm::Integer(integer),
                    Term::Binary(bytes) => IndexTerm::Bytes(bytes.into()),
                    Term::Pair(_) | Term::List(_) => return None,
                };
                Some(Self { term: Some(term), key: key.into() })
            }
            Term::Integer(_) | Term::List(_) => None,
        }
    }
}

/// Returns the continuation of a page that ended with this key.
pub(crate) fn continuation_after(key: &Blob) -> Blob {
    Position { term: None, key: key.clone() }.encode()
}

/// Returns the last key of the page that returned this continuation.
///
/// # Errors
///
/// [`Refusal::Crash`] if it is not a continuation.
pub(crate) fn key_after(continuation: &Blob) -> Result<Blob, Refusal> {
    Ok(Position::from_request(continuation)?.key)
}

#[cfg(test)]
mod tests {
    use super::Position;
    use crate::index::{IndexTerm, Integer};

    #[test]
    fn continuations_equal_those_of_a_real_node() {
        // Both recorded.
        let by_term = Position { term: Some(IndexTerm::Integer(Integer::from(4))), key: "key-0004".into() };
        assert_eq!(by_term.encode(), "g2gCYQRtAAAACGtleS0wMDA0");
        let by_key = Position { term: None, key: "key-0002".into() };
        assert_eq!(by_key.encode(), "g20AAAAIa2V5LTAwMDI=");
        let by_bytes = Position { term: Some(IndexTerm::Bytes("x".into())), key: "k".into() };
        for position in [by_term, by_key, by_bytes] {
            assert_eq!(Position::decode(&position.encode()), Some(position));
        }
        assert_eq!(Position::decode(b"nonsense"), None);
        assert_eq!(Position::decode(b"g2EH"), None);
    }
}
