//! [`IndexTerm`]: what an object is found by, and how it is read from a put.
//!
//! Invariant: the terms of one index are all of one kind, which its name's
//! suffix says; so that their order is the order of that kind.

use riak_client::riak::RpbPair;
use riak_runtime::Blob;

use crate::index::Integer;
use crate::refusal::IndexFault;

/// A term of a secondary index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexTerm {
    /// Of an `_int` index.
    Integer(Integer),
    /// Of a `_bin` index.
    Bytes(Blob),
}

impl IndexTerm {
    /// Reads a term of this index, whose name is in lower case.
    ///
    /// # Errors
    ///
    /// If the name has no known suffix, or the term is not of its kind.
    pub(crate) fn parse(index: &Blob, term: &Blob) -> Result<Self, IndexFault> {
        if index.ends_with(b"_bin") {
            Ok(Self::Bytes(term.clone()))
        } else if index.ends_with(b"_int") {
            Integer::parse(term)
                .map(Self::Integer)
                .ok_or_else(|| IndexFault::NotParsed { index: index.clone(), term: term.clone() })
        } else {
            Err(IndexFault::UnknownType(index.clone()))
        }
    }

    /// As clients see it: integers in decimal.
    pub(crate) fn to_blob(&self) -> Blob {
        match self {
            Self::Integer(integer) => integer.to_string().into(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// Reads the index entries of a put, with the names in lower case.
///
/// # Errors
///
/// All that make no sense.
pub(crate) fn parse_entries(pairs: &[RpbPair]) -> Result<Vec<(Blob, IndexTerm)>, Vec<IndexFault>> {
    let (mut entries, mut faults) = (Vec::with_capacity(pairs.len()), Vec::new());
    for pair in pairs {
        let index = Blob::from(pair.key.to_ascii_lowercase());
        match IndexTerm::parse(&index, pair.value.as_ref().unwrap_or(&Blob::new())) {
            Ok(term) => entries.push((index, term)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(index: &str, term: &str) -> RpbPair {
        RpbPair { value: Some(term.into()), ..RpbPair::new(index) }
    }

    #[test]
    fn entries_are_read_by_the_suffix_of_their_name() {
        let entries = parse_entries(&[pair("Age_INT", "+042"), pair("name_bin", "Ada")]).unwrap();
        let shown: Vec<_> = entries.iter().map(|(index, term)| (index.clone(), term.to_blob())).collect();
        assert_eq!(shown, [("age_int".into(), "42".into()), ("name_bin".into(), Blob::from("Ada"))]);
    }

    #[test]
    fn all_faults_are_told() {
        let faults =
            parse_entries(&[pair("n_int", "abc"), pair("ok_bin", ""), pair("nope", "x")]).unwrap_err();
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["{field_parsing_failed,{<<\"n_int\">>,<<\"abc\">>}}", "{unknown_field_type,<<\"nope\">>}"]
        );
    }
}
