//! Conversion of schema names to Rust identifiers.
//!
//! Invariant: these functions return identifiers that are valid in every edition
//! up to 2024, raw where necessary, and that satisfy the naming lints. A [`Scope`]
//! never hands out the same name twice.

use std::collections::HashSet;

/// Keywords of any edition that are allowed as raw identifiers. Sorted.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that are not allowed even as raw identifiers. Sorted.
const NEVER_RAW: &[&str] = &["Self", "_", "crate", "self", "super"];

/// Turns a name that already has the right case into an identifier.
///
/// A keyword becomes a raw identifier, or gets a trailing underscore if it cannot be
/// raw. A name that starts with a digit gets a leading underscore. Characters that
/// are not ASCII letters, digits or underscores become underscores.
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

/// Splits a name of any case style into words.
///
/// Words are separated by underscores and other punctuation. A word also begins at
/// an uppercase letter that follows a lowercase letter or digit, and at the last
/// uppercase letter of a run that is followed by a lowercase letter.
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

/// Converts a name to snake case, for fields, methods and modules.
///
/// `returnBody`, `ReturnBody` and `RETURN_BODY` become `return_body`. Leading and
/// trailing underscores are kept.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let is_snake = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.bytes().all(is_snake) && !name.contains("__") {
        return escape(name);
    }
    let start = &name[..name.len() - name.trim_start_matches('_').len()];
    let end = &name[name.trim_end_matches('_').len()..];
    let words = words(name);
    if words.is_empty() {
        return escape(name);
    }
    let joined = words.join("_").to_ascii_lowercase();
    escape(&format!("{start}{joined}{end}"))
}

/// Converts a name to upper camel case, for types and variants.
///
/// `rpb_get_req`, `RPB_GET_REQ` and `rpbGetReq` become `RpbGetReq`. A name that
/// already is a valid type name, such as `HTTPHeader`, is kept.
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

/// Converts the name of a closed enum's value to the name of a variant.
///
/// Like [`upper_camel_case`], except that a word in capitals is not taken for an
/// abbreviation: `REALTIME` becomes `Realtime`.
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

/// Uppercases the first letter of a word, and lowercases the rest unless
/// `keep_rest` is set.
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

/// Converts a name to screaming snake case, for constants.
///
/// `xxsmall` becomes `XXSMALL`, and `xxSmall` becomes `XX_SMALL`.
#[must_use]
pub fn screaming_snake_case(name: &str) -> String {
    let words = words(name);
    if words.is_empty() {
        return escape(name);
    }
    escape(&words.join("_").to_ascii_uppercase())
}

/// Strips the name of an enum from the names of its values.
///
/// `TREE_SIZE_SMALL` of the enum `TreeSize` becomes `SMALL`. All names are returned
/// unchanged unless every one has the prefix and is still a valid name without it.
/// The result is in the order of `values`.
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

/// A namespace that keeps names unique by appending underscores.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    taken: HashSet<String>,
}

impl Scope {
    /// Creates an empty namespace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a namespace in which `names` are already taken.
    pub fn with_taken<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { taken: names.into_iter().map(|name| strip_raw(&name.into()).to_owned()).collect() }
    }

    /// Takes `ident`, or the first free name made from it by appending underscores.
    pub fn take(&mut self, ident: &str) -> String {
        if self.taken.insert(strip_raw(ident).to_owned()) {
            return ident.to_owned();
        }
        // A keyword with an underscore appended is no longer a keyword.
        let mut name = strip_raw(ident).to_owned();
        loop {
            name.push('_');
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Takes a name for each of `names`, converted by `convert`.
    ///
    /// Names that the conversion leaves unchanged are taken first, so that other
    /// declarations do not affect what they are called.
    pub fn take_all(&mut self, names: &[&str], convert: impl Fn(&str) -> String) -> Vec<String> {
        let idents: Vec<String> = names.iter().map(|name| convert(name)).collect();
        let mut taken: Vec<Option<String>> = vec![None; names.len()];
        for exact in [true, false] {
            for ((name, ident), slot) in names.iter().zip(&idents).zip(&mut taken) {
                if slot.is_none() && (!exact || strip_raw(ident) == *name) {
                    *slot = Some(self.take(ident));
                }
            }
        }
        taken.into_iter().flatten().collect()
    }
}

/// Strips the raw-identifier prefix: `r#type` and `type` are the same name.
fn strip_raw(ident: &str) -> &str {
    ident.strip_prefix("r#").unwrap_or(ident)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_for_binary_search() {
        assert!(KEYWORDS.is_sorted());
        assert!(NEVER_RAW.is_sorted());
    }

    #[test]
    fn snake_case_accepts_every_case_style() {
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
    fn valid_type_names_are_kept() {
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
    fn variants_and_constants_have_their_case() {
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
    fn enum_prefix_is_stripped_only_if_all_values_have_it() {
        assert_eq!(strip_enum_prefix("TreeSize", &["TREE_SIZE_A", "TREE_SIZE_B"]), ["A", "B"]);
        assert_eq!(strip_enum_prefix("TreeSize", &["TREE_SIZE_A", "B"]), ["TREE_SIZE_A", "B"]);
        // Neither a name that starts with a digit nor an empty one is valid.
        assert_eq!(strip_enum_prefix("V", &["V_1", "V_A"]), ["V_1", "V_A"]);
        assert_eq!(strip_enum_prefix("V", &["V_", "V_A"]), ["V_", "V_A"]);
        assert_eq!(strip_enum_prefix("V", &["VALUE", "V_A"]), ["VALUE", "V_A"]);
    }

    #[test]
    fn scope_never_returns_a_name_twice() {
        let mut scope = Scope::with_taken(["unknown_fields"]);
        assert_eq!(scope.take("unknown_fields"), "unknown_fields_");
        assert_eq!(scope.take("r#type"), "r#type");
        assert_eq!(scope.take("r#type"), "type_");
        assert_eq!(scope.take("type"), "type__");
    }

    #[test]
    fn unchanged_names_take_precedence() {
        let mut scope = Scope::new();
        let names = scope.take_all(&["foo_bar", "fooBar", "FooBar"], upper_camel_case);
        assert_eq!(names, ["FooBar_", "FooBar__", "FooBar"]);
    }
}
