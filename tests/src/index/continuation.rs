//! Where the next page of an index query begins.
//!
//! Invariant: a continuation is the very text that Riak gives: base64 of the
//! term of the page's last result, so that tests may hold it against recorded
//! ones.

use riak_runtime::Blob;

use crate::erlang::{base64, term::Term};
use crate::index::IndexTerm;
use crate::refusal::Refusal;

/// The last result of a page. The next page is what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Its term, if the query is for a range of terms.
    pub(crate) term: Option<IndexTerm>,
    pub(crate) key: Blob,
}

impl Position {
    /// The text that clients echo.
    pub(crate) fn encode(&self) -> Blob {
        let key = Term::binary(&self.key);
        let term = match &self.term {
            None => key,
            Some(IndexTerm::Integer(integer)) => Term::pair(Term::Integer(integer.clone()), key),
            Some(IndexTerm::Bytes(bytes)) => Term::pair(Term::binary(bytes), key),
        };
        base64::encode(&term.encode()).into()
    }

    /// What a client echoed.
    ///
    /// # Errors
    ///
    /// The node crashes on what is no continuation.
    pub(crate) fn from_request(continuation: &Blob) -> Result<Self, Refusal> {
        let crash = || Refusal::Crash("error:badarg:[{erlang,binary_to_term}]".to_owned());
        Self::decode(continuation).ok_or_else(crash)
    }

    /// What a client echoed; `None` if it is no continuation.
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

/// The continuation of a page that ended with this key.
pub(crate) fn continuation_after(key: &Blob) -> Blob {
    Position { term: None, key: key.clone() }.encode()
}

/// The key that the page ended with which gave this continuation.
///
/// # Errors
///
/// The node crashes on what is none.
pub(crate) fn key_after(continuation: &Blob) -> Result<Blob, Refusal> {
    Ok(Position::from_request(continuation)?.key)
}

#[cfg(test)]
mod tests {
    use super::Position;
    use crate::index::{IndexTerm, Integer};

    #[test]
    fn continuations_are_those_of_a_real_node() {
        // Both recorded.
        let by_term = Position { term: Some(IndexTerm::Integer(Integer::from(4))), key: "key-0004".into() };
        assert_eq!(by_term.encode(), "g2gCYQRtAAAACGtleS0wMDA0");
        let by_key = Position { term: None, key: "key-0002".into() };
        assert_eq!(by_key.encode(), "g20AAAAIa2V5LTAwMDI=");
        let of_bytes = Position { term: Some(IndexTerm::Bytes("x".into())), key: "k".into() };
        for position in [by_term, by_key, of_bytes] {
            assert_eq!(Position::decode(&position.encode()), Some(position));
        }
        assert_eq!(Position::decode(b"nonsense"), None);
        assert_eq!(Position::decode(b"g2EH"), None);
    }
}
