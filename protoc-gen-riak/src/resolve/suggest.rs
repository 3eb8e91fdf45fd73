//! The end of a fault's message that suggests another name.
//!
//! Invariant: the text is empty if no known name is close.

use riak_codegen::suggest::nearest;

/// Returns the end of a fault's message that suggests the name closest to `written`,
/// such as `; did you mean "x"?`, or nothing if none is close.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_names_are_suggested() {
        let fields = ["vclock", "value", "vtag"];
        assert_eq!(did_you_mean("vclok", fields), "; did you mean \"vclock\"?");
        assert_eq!(did_you_mean("bucket", fields), "");
    }
}
