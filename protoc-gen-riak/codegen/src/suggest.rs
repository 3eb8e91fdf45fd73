//! Finds the name that a misspelt one was probably meant to be.
//!
//! Invariant: the result does not depend on the order of the candidates.

/// Returns the candidate that is most similar to `written`, if one is close enough to
/// be what was meant: up to a third of the characters may be wrong, three at most.
/// Nothing is close to a name of one character.
///
/// ```
/// use riak_codegen::suggest::nearest;
///
/// assert_eq!(nearest("defualt", ["default", "deprecated"]), Some("default"));
/// assert_eq!(nearest("flavour", ["default", "deprecated"]), None);
/// ```
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.chars().collect();
    if written.len() < 2 {
        return None;
    }
    let max_distance = (written.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, &candidate.chars().collect::<Vec<_>>()), candidate))
        .filter(|&(distance, _)| distance <= 2 * max_distance)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns the end of an error's text that suggests the candidate closest to `written`,
/// such as `; did you mean "x"?`, or nothing if none is close.
pub fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, candidates).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

/// Returns twice the edit distance of two names: the number of characters to replace,
/// insert, delete or swap with their neighbor. A difference in case counts half.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).map(|n| n * 2).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![(i + 1) * 2];
        for (j, &y) in b.iter().enumerate() {
            let change = match () {
                () if x == y => 0,
                () if x.eq_ignore_ascii_case(&y) => 1,
                () => 2,
            };
            let mut least = (above[j] + change).min(above[j + 1] + 2).min(row[j] + 2);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before[j - 1] + 2);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likely_typos_are_found() {
        let attributes = ["tag", "tags", "default", "sint64"];
        assert_eq!(nearest("tga", attributes), Some("tag"));
        assert_eq!(nearest("sint46", attributes), Some("sint64"));
        let messages = ["RpbGetReq", "RpbGetResp", "RpbPutReq", "Pair"];
        assert_eq!(nearest("RpbGetRep", messages), Some("RpbGetReq"));
        assert_eq!(nearest("RpbGteResp", messages), Some("RpbGetResp"));
    }

    #[test]
    fn case_counts_half() {
        assert_eq!(nearest("pair", ["Pair", "pear"]), Some("Pair"));
        assert_eq!(nearest("rpbputreq", ["RpbGetReq", "RpbPutReq"]), Some("RpbPutReq"));
    }

    #[test]
    fn only_close_names_are_suggested() {
        assert_eq!(nearest("Other", ["RpbGetReq", "Pair"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", ["abc"]), None);
    }

    #[test]
    fn a_suggestion_ends_the_text_of_an_error() {
        let fields = ["vclock", "value", "vtag"];
        assert_eq!(did_you_mean("vclok", fields), "; did you mean \"vclock\"?");
        assert_eq!(did_you_mean("bucket", fields), "");
    }

    #[test]
    fn the_order_of_candidates_does_not_matter() {
        assert_eq!(nearest("abc", ["abd", "abe"]), nearest("abc", ["abe", "abd"]));
    }
}
