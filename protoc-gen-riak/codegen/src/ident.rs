//! Names of a schema as Rust names.
//!
//! Invariant: what these functions return is a valid Rust identifier in every
//! edition up to 2024, raw where it has to be, that no lint on names objects
//! to; and a [`Scope`] never gives out the same name twice.

use std::collections::HashSet;

/// Words that Rust keeps for itself in some edition, and that may stand as a
/// raw identifier. Sorted.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that cannot even stand as a raw identifier.
const NEVER_RAW: &[&str] = &["Self", "_", "crate", "self", "super"];

/// Makes a name that already has the right case an identifier: raw if it is a
/// keyword, with an underscore behind it if it cannot be raw, with one before
/// it if it starts with a digit. Characters that no identifier holds become
/// underscores.
#[must_use]
pub fn escape(name: &str) -> String {
    let mut plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain.is_empty() || plain.starts_with(|c: char| c.is_ascii_digit()) {
        plain.insert(0, '_');
    }
    if NEVER_RAW.contains(&plain.as_str()) {
        plain.push('_');
        plain
    } else if KEYWORDS.binary_search(&plain.as_str()).is_ok() {
        format!("r#{plain}")
    } else {
        plain
    }
}

/// The words of a name in any case: split at underscores and other
/// punctuation, before a capital that follows a small letter or a digit, and
/// before the last capital of a run that a small letter follows.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let chars: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (index, &c) in chars.iter().enumerate() {
            let previous = index.checked_sub(1).map(|before| chars[before]);
            let next_is_small = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
            let starts_word =
                c.is_ascii_uppercase() && previous.is_some_and(|p| !p.is_ascii_uppercase() || next_is_small);
            if starts_word && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(c);
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

/// `returnBody`, `ReturnBody` and `RETURN_BODY` as `return_body`, the name of a
/// field, a method or a module. Underscores at both ends stay.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let start = &name[..name.len() - name.trim_start_matches('_').len()];
    let end = &name[name.trim_end_matches('_').len()..];
    let words = words(name);
    if words.is_empty() {
        return escape(name);
    }
    let joined = words.join("_").to_ascii_lowercase();
    escape(&format!("{start}{joined}{end}"))
}

/// `rpb_get_req`, `RPB_GET_REQ` and `rpbGetReq` as `RpbGetReq`, the name of a
/// type or a variant. A name that can be a type's as it stands is kept:
/// `HTTPHeader` stays so.
#[must_use]
pub fn upper_camel_case(name: &str) -> String {
    if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return escape(name);
    }
    let camel: String = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| capitalize(part, part.chars().any(|c| c.is_ascii_lowercase())))
        .collect();
    if camel.is_empty() {
        return "X".to_owned();
    }
    escape(&camel)
}

/// A value of a closed enum as a variant: like [`upper_camel_case`], but a
/// word in capitals is no abbreviation there: `REALTIME` becomes `Realtime`.
#[must_use]
pub fn variant(name: &str) -> String {
    if name.chars().any(|c| c.is_ascii_lowercase()) {
        return upper_camel_case(name);
    }
    let camel: String =
        name.split(|c: char| !c.is_ascii_alphanumeric()).map(|part| capitalize(part, false)).collect();
    if camel.is_empty() {
        return "X".to_owned();
    }
    escape(&camel)
}

/// A word with a capital first; the rest as it is, or small.
fn capitalize(word: &str, keep_rest: bool) -> String {
    let mut chars = word.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut out = String::from(first.to_ascii_uppercase());
    if keep_rest {
        out.push_str(chars.as_str());
    } else {
        out.push_str(&chars.as_str().to_ascii_lowercase());
    }
    out
}

/// `xxsmall` and `xxSmall` as `XXSMALL` and `XX_SMALL`, the name of a constant.
#[must_use]
pub fn screaming_snake_case(name: &str) -> String {
    let words = words(name);
    if words.is_empty() {
        return escape(name);
    }
    escape(&words.join("_").to_ascii_uppercase())
}

/// Removes the enum's own name in front of the names of its values, as
/// `TREE_SIZE_SMALL` of `TreeSize` becomes `SMALL`.
///
/// Only if every value has it, and a name is left of each. The result has the
/// order of `values`.
#[must_use]
pub fn strip_enum_prefix<'a>(enum_name: &str, values: &[&'a str]) -> Vec<&'a str> {
    let prefix = format!("{}_", words(enum_name).join("_"));
    let rest = |value: &'a str| {
        let head = value.get(..prefix.len())?;
        let tail = &value[prefix.len()..];
        let is_name = tail.starts_with(|c: char| c.is_ascii_alphabetic());
        (head.eq_ignore_ascii_case(&prefix) && is_name).then_some(tail)
    };
    let stripped: Option<Vec<&str>> = values.iter().map(|value| rest(value)).collect();
    stripped.unwrap_or_else(|| values.to_vec())
}

/// The names of one namespace. A name that is taken already gets an underscore
/// behind it.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    taken: HashSet<String>,
}

impl Scope {
    /// A namespace with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A namespace in which these names are taken.
    pub fn with_taken<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { taken: names.into_iter().map(|name| plain(&name.into())).collect() }
    }

    /// Takes the identifier, or the first free one with underscores behind it.
    pub fn take(&mut self, ident: &str) -> String {
        if self.taken.insert(plain(ident)) {
            return ident.to_owned();
        }
        // With anything behind it a keyword is none any more.
        let mut name = plain(ident);
        loop {
            name.push('_');
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Takes a name for each of `names`, converted by `convert`. Those that
    /// the conversion leaves as they are come first: what is declared beside
    /// them does not change what they are called.
    pub fn take_all(&mut self, names: &[&str], convert: impl Fn(&str) -> String) -> Vec<String> {
        let mut taken: Vec<Option<String>> = vec![None; names.len()];
        for exact in [true, false] {
            for (name, slot) in names.iter().zip(&mut taken) {
                let ident = convert(name);
                if slot.is_none() && (plain(&ident) == *name || !exact) {
                    *slot = Some(self.take(&ident));
                }
            }
        }
        taken.into_iter().flatten().collect()
    }
}

/// The name without the mark of a raw identifier: `r#type` and `type` are one
/// name.
fn plain(ident: &str) -> String {
    ident.strip_prefix("r#").unwrap_or(ident).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
        assert!(NEVER_RAW.is_sorted());
    }

    #[test]
    fn snake_case_of_every_style() {
        for (name, want) in [
            ("return_body", "return_body"),
            ("returnBody", "return_body"),
            ("ReturnBody", "return_body"),
            ("RETURN_BODY", "return_body"),
            ("RpbGetReq", "rpb_get_req"),
            ("RpbCSBucketReq", "rpb_cs_bucket_req"),
            ("HTTPServer2Go", "http_server2_go"),
            ("n_val", "n_val"),
            ("last_mod_usecs", "last_mod_usecs"),
            ("a__b", "a_b"),
            ("_id", "_id"),
            ("id_", "id_"),
            ("type", "r#type"),
            ("gen", "r#gen"),
            ("try", "r#try"),
            ("self", "self_"),
            ("Self", "self_"),
            ("super", "super_"),
            ("crate", "crate_"),
            ("_", "__"),
            ("riak-kv", "riak_kv"),
            ("2010", "_2010"),
        ] {
            assert_eq!(snake_case(name), want, "{name}");
        }
    }

    #[test]
    fn type_names_are_kept_where_they_can_be() {
        for (name, want) in [
            ("RpbGetReq", "RpbGetReq"),
            ("HTTPHeader", "HTTPHeader"),
            ("foo_bar", "FooBar"),
            ("fooBar", "FooBar"),
            ("FOO_BAR", "FooBar"),
            ("Foo_Bar", "FooBar"),
            ("foo", "Foo"),
            ("Self", "Self_"),
            ("self", "Self_"),
            ("_2", "_2"),
            ("__", "X"),
        ] {
            assert_eq!(upper_camel_case(name), want, "{name}");
        }
    }

    #[test]
    fn variants_and_constants() {
        assert_eq!(variant("REALTIME"), "Realtime");
        assert_eq!(variant("ADD_ONE"), "AddOne");
        assert_eq!(variant("xxsmall"), "Xxsmall");
        assert_eq!(variant("GSet"), "GSet");
        assert_eq!(variant("SELF"), "Self_");
        assert_eq!(variant("V1"), "V1");
        assert_eq!(screaming_snake_case("xxsmall"), "XXSMALL");
        assert_eq!(screaming_snake_case("xxSmall"), "XX_SMALL");
        assert_eq!(screaming_snake_case("TYPE_URL"), "TYPE_URL");
    }

    #[test]
    fn the_prefix_goes_only_where_all_have_it() {
        assert_eq!(strip_enum_prefix("TreeSize", &["TREE_SIZE_A", "TREE_SIZE_B"]), ["A", "B"]);
        assert_eq!(strip_enum_prefix("TreeSize", &["TREE_SIZE_A", "B"]), ["TREE_SIZE_A", "B"]);
        // A digit cannot start a name, and nothing is no name.
        assert_eq!(strip_enum_prefix("V", &["V_1", "V_A"]), ["V_1", "V_A"]);
        assert_eq!(strip_enum_prefix("V", &["V_", "V_A"]), ["V_", "V_A"]);
        assert_eq!(strip_enum_prefix("V", &["VALUE", "V_A"]), ["VALUE", "V_A"]);
    }

    #[test]
    fn a_scope_gives_no_name_twice() {
        let mut scope = Scope::with_taken(["unknown_fields"]);
        assert_eq!(scope.take("unknown_fields"), "unknown_fields_");
        assert_eq!(scope.take("r#type"), "r#type");
        assert_eq!(scope.take("r#type"), "type_");
        assert_eq!(scope.take("type"), "type__");
    }

    #[test]
    fn exact_names_keep_theirs() {
        let mut scope = Scope::new();
        let names = scope.take_all(&["foo_bar", "fooBar", "FooBar"], upper_camel_case);
        assert_eq!(names, ["FooBar_", "FooBar__", "FooBar"]);
    }
}
