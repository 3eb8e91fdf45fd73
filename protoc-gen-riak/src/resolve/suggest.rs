//! Suggestions for a name that does not exist.
//!
//! Invariant: a suggestion is similar to the name, and does not depend on the order
//! of the candidates.

/// Returns the end of a fault's message that suggests the candidate closest to
/// `written`, such as `; did you mean "x"?`, or nothing if none is close.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let allowed = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, candidate)| format!("; did you mean \"{candidate}\"?"))
        .unwrap_or_default()
}

/// Returns the edit distance of two names: the number of characters to insert,
/// delete or replace. Case is ignored.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("done", "done"), 0);
        assert_eq!(distance("Done", "done"), 0);
        assert_eq!(distance("don", "done"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn only_close_names_are_suggested() {
        let fields = ["vclock", "value", "vtag"];
        assert_eq!(did_you_mean("vclok", fields), "; did you mean \"vclock\"?");
        assert_eq!(did_you_mean("bucket", fields), "");
        assert_eq!(did_you_mean("ab", ["b", "a"]), "; did you mean \"a\"?");
    }
}
