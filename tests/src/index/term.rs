//! [`IndexTerm`]: a term of a secondary index, and how it is parsed from a put.
//!
//! Invariant: the terms of one index are all of the type that the suffix of its name
//! says, so their order is the order of that type.

use riak_client::riak::RpbPair;
use riak_runtime::Blob;

use crate::index::Integer;
use crate::refusal::IndexFault;

/// A term of a secondary index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexTerm {
    /// A term of an `_int` index.
    Integer(Integer),
    /// A term of a `_bin` index.
    Bytes(Blob),
}

impl IndexTerm {
    /// Parses a term of this index, whose name is in lower case.
    ///
    /// # Errors
    ///
    /// If the name has no known suffix, or the term is not of the index's type.
    pub(crate) fn parse(index: &Blob, term: &Blob) -> Result<Self, IndexFault> {
        // Entries of the two built-in indexes can be put, but no query returns them.
        let is_special = matches!(index.as_slice(), b"$bucket" | b"$key");
        // The name has to consist of more than the suffix.
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

    /// Returns the term as clients see it: integers in decimal.
    pub(crate) fn to_blob(&self) -> Blob {
        match self {
            Self::Integer(integer) => integer.to_string().into(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// Parses the index entries of a put. Names are converted to lower case; entries are
/// sorted and deduplicated.
///
/// # Errors
///
/// All faults, sorted and deduplicated as well.
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
    fn entries_are_parsed_by_the_suffix_of_their_name() {
        let entries = parse_entries(&[pair("Age_INT", "+042"), pair("name_bin", "Ada")]).unwrap();
        let shown: Vec<_> = entries.iter().map(|(index, term)| (index.clone(), term.to_blob())).collect();
        assert_eq!(shown, [("age_int".into(), "42".into()), ("name_bin".into(), Blob::from("Ada"))]);
    }

    #[test]
    fn entries_are_sorted_and_deduplicated() {
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
    fn a_suffix_alone_is_not_a_name() {
        for index in ["_bin", "_int", "bin", ""] {
            let faults = parse_entries(&[pair(index, "1")]).unwrap_err();
            assert_eq!(faults, [IndexFault::UnknownType(Blob::from(index.to_owned()))]);
        }
    }

    #[test]
    fn all_faults_are_reported() {
        let sent = [pair("nope", "x"), pair("n_int", "abc"), pair("ok_bin", ""), pair("nope", "y")];
        let faults = parse_entries(&sent).unwrap_err();
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["{field_parsing_failed,{<<\"n_int\">>,<<\"abc\">>}}", "{unknown_field_type,<<\"nope\">>}"]
        );
    }
}
