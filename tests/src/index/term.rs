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
        // The two that every bucket has can be put as any other, and are never asked.
        let is_special = matches!(index.as_slice(), b"$bucket" | b"$key");
        // A suffix alone is no name.
        let ends_with = |suffix: &[u8]| index.len() > suffix.len() && index.ends_with(suffix);
        if is_special || ends_with(b"_bin") {
            Ok(Self::Bytes(term.clone()))
        } else if ends_with(b"_int") {
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

/// Reads the index entries of a put: with the names in lower case, sorted, and
/// each of them once.
///
/// # Errors
///
/// All that make no sense, sorted as well.
pub(crate) fn parse_entries(pairs: &[RpbPair]) -> Result<Vec<(Blob, IndexTerm)>, Vec<IndexFault>> {
    let (mut entries, mut faults) = (Vec::with_capacity(pairs.len()), Vec::new());
    for pair in pairs {
        let index = Blob::from(pair.key.to_ascii_lowercase());
        match IndexTerm::parse(&index, pair.value.as_ref().unwrap_or(&Blob::new())) {
            Ok(term) => entries.push((index, term)),
            Err(fault) => faults.push(fault),
        }
    }
    entries.sort();
    entries.dedup();
    faults.sort();
    faults.dedup();
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
    fn entries_are_sorted_and_there_once() {
        let sent = ["b_bin z", "B_bin a", "n_int 10", "n_int 9", "b_bin a", "n_int +9", "$key k"];
        let pairs = sent.map(|entry| entry.split_once(' ').map(|(index, term)| pair(index, term)).unwrap());
        let entries = parse_entries(&pairs).unwrap();
        let shown = |(index, term): &(Blob, IndexTerm)| {
            format!("{} {}", index.to_string_lossy(), term.to_blob().to_string_lossy())
        };
        let shown: Vec<_> = entries.iter().map(shown).collect();
        assert_eq!(shown, ["$key k", "b_bin a", "b_bin z", "n_int 9", "n_int 10"]);
    }

    #[test]
    fn a_suffix_is_no_name() {
        for index in ["_bin", "_int", "bin", ""] {
            let faults = parse_entries(&[pair(index, "1")]).unwrap_err();
            assert_eq!(faults, [IndexFault::UnknownType(Blob::from(index.to_owned()))]);
        }
    }

    #[test]
    fn all_faults_are_told() {
        let sent = [pair("nope", "x"), pair("n_int", "abc"), pair("ok_bin", ""), pair("nope", "y")];
        let faults = parse_entries(&sent).unwrap_err();
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["{field_parsing_failed,{<<\"n_int\">>,<<\"abc\">>}}", "{unknown_field_type,<<\"nope\">>}"]
        );
    }
}
