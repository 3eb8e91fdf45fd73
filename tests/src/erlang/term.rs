//! The subset of Erlang's external term format that Riak's protocol shows: binaries,
//! integers of any size, pairs, and lists.
//!
//! Invariant: `decode(encode(term)) == Some(term)`, and `encode` returns the bytes of
//! `term_to_binary`.

use crate::index::Integer;

/// The format's version byte.
const VERSION: u8 = 131;
const SMALL_INTEGER: u8 = 97;
const INTEGER: u8 = 98;
const SMALL_TUPLE: u8 = 104;
const NIL: u8 = 106;
const LIST: u8 = 108;
const BINARY: u8 = 109;
const SMALL_BIG: u8 = 110;
const LARGE_BIG: u8 = 111;
/// The maximum depth. The deepest terms of the protocol are lists of pairs.
const MAX_DEPTH: u32 = 4;

/// A term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// `<<...>>`.
    Binary(Vec<u8>),
    /// An integer.
    Integer(Integer),
    /// `{A, B}`.
    Pair(Box<(Term, Term)>),
    /// `[A, B, ...]`.
    List(Vec<Term>),
}

impl Term {
    /// A binary.
    pub(crate) fn binary(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }

    /// A pair.
    pub(crate) fn pair(first: Self, second: Self) -> Self {
        Self::Pair(Box::new((first, second)))
    }

    /// Encodes the term as `term_to_binary` does.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.append(&mut out);
        out
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Binary(bytes) => {
                out.push(BINARY);
                append_len(bytes.len(), out);
                out.extend_from_slice(bytes);
            }
            Self::Integer(integer) => append_integer(integer, out),
            Self::Pair(pair) => {
                out.extend_from_slice(&[SMALL_TUPLE, 2]);
                pair.0.append(out);
                pair.1.append(out);
            }
            Self::List(items) => {
                if !items.is_empty() {
                    out.push(LIST);
                    append_len(items.len(), out);
                    for item in items {
                        item.append(out);
                    }
                }
                out.push(NIL);
            }
        }
    }

    /// Decodes a term, or returns `None` if the bytes are invalid, or the term is of a
    /// kind that the protocol does not show.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (VERSION, mut rest) = bytes.split_first().map(|(first, rest)| (*first, rest))? else {
            return None;
        };
        let term = read(&mut rest, MAX_DEPTH)?;
        rest.is_empty().then_some(term)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "frames are far below 4 GiB, and so are the terms in them"
)]
fn append_len(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(len as u32).to_be_bytes());
}

fn append_integer(integer: &Integer, out: &mut Vec<u8>) {
    let magnitude = integer.magnitude_bytes();
    let small = match *magnitude.as_slice() {
        [] => Some(0),
        [low] => Some(i64::from(low)),
        [b0, b1] => Some(i64::from(u16::from_le_bytes([b0, b1]))),
        [b0, b1, b2] => Some(i64::from(u32::from_le_bytes([b0, b1, b2, 0]))),
        [b0, b1, b2, b3] => Some(i64::from(u32::from_le_bytes([b0, b1, b2, b3]))),
        _ => None,
    };
    let small = small.map(|magnitude| if integer.is_negative() { -magnitude } else { magnitude });
    if let Some(value) = small.and_then(|value| u8::try_from(value).ok()) {
        out.extend_from_slice(&[SMALL_INTEGER, value]);
    } else if let Some(value) = small.and_then(|value| i32::try_from(value).ok()) {
        out.push(INTEGER);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        if let Ok(len) = u8::try_from(magnitude.len()) {
            out.extend_from_slice(&[SMALL_BIG, len]);
        } else {
            out.push(LARGE_BIG);
            append_len(magnitude.len(), out);
        }
        out.push(u8::from(integer.is_negative()));
        out.extend_from_slice(&magnitude);
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take(rest, N)?.try_into().ok()
}

fn read(rest: &mut &[u8], depth: u32) -> Option<Term> {
    let depth = depth.checked_sub(1)?;
    match take_array(rest)? {
        [BINARY] => {
            let len = u32::from_be_bytes(take_array(rest)?);
            Some(Term::binary(take(rest, usize::try_from(len).ok()?)?))
        }
        [SMALL_INTEGER] => {
            let [value] = take_array(rest)?;
            Some(Term::Integer(Integer::from(i64::from(value))))
        }
        [INTEGER] => Some(Term::Integer(Integer::from(i64::from(i32::from_be_bytes(take_array(rest)?))))),
        [kind @ (SMALL_BIG | LARGE_BIG)] => {
            let len = if kind == SMALL_BIG {
                let [len] = take_array(rest)?;
                usize::from(len)
            } else {
                usize::try_from(u32::from_be_bytes(take_array(rest)?)).ok()?
            };
            let [sign] = take_array(rest)?;
            Some(Term::Integer(Integer::from_magnitude(sign != 0, take(rest, len)?)))
        }
        [SMALL_TUPLE] => {
            let [2] = take_array(rest)? else { return None };
            Some(Term::pair(read(rest, depth)?, read(rest, depth)?))
        }
        [NIL] => Some(Term::List(Vec::new())),
        [LIST] => {
            let count = u32::from_be_bytes(take_array(rest)?);
            // The count is not trusted: no memory is reserved for it.
            let items = (0..count).map(|_| read(rest, depth)).collect::<Option<Vec<_>>>()?;
            let [NIL] = take_array(rest)? else { return None };
            Some(Term::List(items))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Term;
    use crate::index::Integer;

    fn integer(text: &str) -> Term {
        Term::Integer(Integer::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn terms_are_encoded_as_by_erlang() {
        // Recorded: the continuation of a page that ended with term 4.
        let term = Term::pair(integer("4"), Term::binary(b"key-0004"));
        assert_eq!(term.encode(), b"\x83\x68\x02\x61\x04\x6d\x00\x00\x00\x08key-0004");
        assert_eq!(integer("255").encode(), [131, 97, 255]);
        assert_eq!(integer("256").encode(), [131, 98, 0, 0, 1, 0]);
        assert_eq!(integer("-1").encode(), [131, 98, 255, 255, 255, 255]);
        assert_eq!(integer("-2147483648").encode(), [131, 98, 128, 0, 0, 0]);
        assert_eq!(integer("2147483648").encode(), [131, 110, 4, 0, 0, 0, 0, 128]);
        assert_eq!(integer("-4294967296").encode(), [131, 110, 5, 1, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn terms_round_trip() {
        let long = "9".repeat(700);
        for text in
            ["0", "1", "255", "256", "-1", "-129", "2147483647", "2147483648", "-99999999999999999999", &long]
        {
            let term = Term::pair(integer(text), Term::binary(b"k"));
            assert_eq!(Term::decode(&term.encode()), Some(term), "{text}");
        }
    }

    #[test]
    fn lists_round_trip_and_bad_lists_are_refused() {
        // Recorded: the context of a set, whose three elements one vnode has added.
        let actor = [0x23, 0x09, 0xfe, 0xf9, 0x42, 0x26, 0x2d, 0x9f, 0, 0, 0x0b, 0x92];
        let clock = Term::List(vec![Term::pair(Term::binary(&actor), integer("3"))]);
        let head = b"\x83\x6c\x00\x00\x00\x01\x68\x02\x6d\x00\x00\x00\x0c";
        assert_eq!(clock.encode(), [&head[..], &actor, b"\x61\x03\x6a"].concat());
        let empty = Term::List(Vec::new());
        assert_eq!(empty.encode(), b"\x83\x6a");
        for term in [clock, empty] {
            assert_eq!(Term::decode(&term.encode()), Some(term));
        }
        for bytes in [
            &b"\x83\x6c\xff\xff\xff\xff"[..],
            b"\x83\x6c\0\0\0\x01\x61\x01",
            b"\x83\x6c\0\0\0\x01\x61\x01\x61\x02",
        ] {
            assert_eq!(Term::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn invalid_terms_are_refused() {
        let nested: Vec<u8> = [131].into_iter().chain([104, 2].repeat(1_000)).collect();
        for bytes in [
            &b""[..],
            b"\x83",
            b"\x82a\x01",
            b"\x83a\x01\x01",
            b"\x83m\x00\x00\x00\x02a",
            b"\x83d\x00\x00",
            &nested,
        ] {
            assert_eq!(Term::decode(bytes), None, "{bytes:?}");
        }
    }
}
