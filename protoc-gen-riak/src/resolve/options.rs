//! The options of a run that change the model.
//!
//! Invariant: rules are matched only here. Of several rules that match, the one
//! with the longest path applies; of equally long ones, the last.

use riak_codegen::model::BytesType;

use super::codes::CodeTable;

/// The options with which a schema is resolved. Each field is also a plugin
/// parameter, a flag and a method of the same name.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A message-code table that accompanies the schema.
    pub codes: Option<CodeTable>,
    /// Types that another crate has already generated. On the left is a file
    /// (`riak_kv.proto`), a package (`.google.protobuf`) or a message or enum
    /// (`.riak.Foo`); on the right the module that contains the other crate's schema
    /// modules (`::riak_client`), or for a single type also the type's own path
    /// (`::my_types::Foo`).
    pub extern_paths: Vec<(String, String)>,
    /// Types of `bytes` fields by path: `.` for all, `.pkg`, `.pkg.Msg` or
    /// `.pkg.Msg.field`.
    pub bytes: Vec<(String, BytesType)>,
    /// Whether messages keep unknown fields, by path as above. True where no rule
    /// matches.
    pub unknown_fields: Vec<(String, bool)>,
}

/// Returns a rule's path with a leading dot.
pub(crate) fn normalize(path: &str) -> String {
    if path.starts_with('.') { path.to_owned() } else { format!(".{path}") }
}

/// Matches a rule's path against a protobuf name without leading dot. Returns the
/// length of the path if it matches.
fn match_length(path: &str, name: &str) -> Option<usize> {
    let path = normalize(path);
    let inside = path.strip_prefix('.').filter(|inside| !inside.is_empty());
    let fits = match inside {
        None => true,
        Some(inside) => {
            name.strip_prefix(inside).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }
    };
    fits.then_some(path.len())
}

/// Returns the rule that matches a protobuf name best: its index and its value.
pub(crate) fn best_match<'a, T>(rules: &'a [(String, T)], name: &str) -> Option<(usize, &'a T)> {
    rules
        .iter()
        .enumerate()
        .filter_map(|(index, (path, value))| Some((match_length(path, name)?, index, value)))
        .max_by_key(|&(length, index, _)| (length, index))
        .map(|(_, index, value)| (index, value))
}

/// What an extern path maps a type to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extern {
    /// A crate root: the type has the same module path below it as it would have here.
    Root(String),
    /// A type of another crate: the path of its module, and its name.
    Type(String, String),
}

impl Options {
    /// Returns the crate root that a whole file is mapped to.
    pub(crate) fn extern_file(&self, file: &str, package: &str) -> Option<&str> {
        let by_name = self.extern_paths.iter().rev().find(|(path, _)| path == file);
        let by_package = || {
            // A path that is longer than the package names a type, and does not match.
            best_match(&self.extern_paths, package).map(|(index, _)| &self.extern_paths[index])
        };
        by_name.or_else(by_package).map(|(_, root)| root.as_str())
    }

    /// Returns what a rule for exactly this type maps it to.
    pub(crate) fn extern_type(&self, full_name: &str) -> Option<Extern> {
        let (_, target) =
            self.extern_paths.iter().rev().find(|(path, _)| path.strip_prefix('.') == Some(full_name))?;
        let of_type =
            target.rsplit_once("::").filter(|(_, name)| name.starts_with(|c: char| c.is_ascii_uppercase()));
        Some(match of_type {
            Some((module, name)) => Extern::Type(module.to_owned(), name.to_owned()),
            None => Extern::Root(target.clone()),
        })
    }
}

/// Reports whether a path can precede a type's name: identifiers joined by `::`,
/// optionally with a leading `::`.
pub(crate) fn is_rust_path(path: &str) -> bool {
    let is_name = |segment: &str| {
        let plain = segment.strip_prefix("r#").unwrap_or(segment);
        // The parser alone would also accept white space and comments.
        plain.chars().all(|char| char.is_alphanumeric() || char == '_')
            && syn::parse_str::<syn::Ident>(segment).is_ok()
    };
    if let Some(absolute) = path.strip_prefix("::") {
        return absolute.split("::").all(is_name);
    }
    let mut segments = path.split("::");
    let first = segments.next().unwrap_or_default();
    match first {
        "crate" => segments.all(is_name),
        "self" | "super" => segments.skip_while(|segment| *segment == "super").all(is_name),
        _ => is_name(first) && segments.all(is_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules<T: Copy>(rules: &[(&str, T)]) -> Vec<(String, T)> {
        rules.iter().map(|&(path, value)| (path.to_owned(), value)).collect()
    }

    #[test]
    fn the_longest_path_wins() {
        let rules = rules(&[(".", 1), (".p.M", 2), ("p.M.f", 3), (".p", 4), (".", 5)]);
        let of = |name| best_match(&rules, name).map(|(_, value)| *value);
        assert_eq!(of("p.M.f"), Some(3));
        assert_eq!(of("p.M.g"), Some(2));
        assert_eq!(of("p.Mx"), Some(4));
        assert_eq!(of("q"), Some(5));
        assert_eq!(best_match::<()>(&[], "q"), None);
    }

    #[test]
    fn extern_paths_by_file_package_and_type() {
        let options = Options {
            extern_paths: [
                ("riak_kv.proto", "::riak_client"),
                (".google.protobuf", "::known"),
                (".p.Foo", "::own::types::Foo"),
                (".p.Bar", "::own"),
            ]
            .map(|(path, target)| (path.to_owned(), target.to_owned()))
            .to_vec(),
            ..Options::default()
        };
        assert_eq!(options.extern_file("riak_kv.proto", ""), Some("::riak_client"));
        assert_eq!(options.extern_file("google/protobuf/any.proto", "google.protobuf"), Some("::known"));
        assert_eq!(options.extern_file("p.proto", "p"), None);
        assert_eq!(
            options.extern_type("p.Foo"),
            Some(Extern::Type("::own::types".to_owned(), "Foo".to_owned()))
        );
        assert_eq!(options.extern_type("p.Bar"), Some(Extern::Root("::own".to_owned())));
        assert_eq!(options.extern_type("p.Baz"), None);
    }

    #[test]
    fn rust_paths() {
        assert!(is_rust_path("::riak_client"));
        assert!(is_rust_path("crate::r#gen::x"));
        assert!(is_rust_path("crate::gen"));
        assert!(is_rust_path("crate"));
        assert!(is_rust_path("super::super::x"));
        assert!(is_rust_path("r#fn::x"));
        assert!(!is_rust_path(""));
        assert!(!is_rust_path("::"));
        assert!(!is_rust_path("a-b"));
        assert!(!is_rust_path("a::"));
        assert!(!is_rust_path("a::fn"));
        assert!(!is_rust_path("a::crate"));
        assert!(!is_rust_path("::self::a"));
        assert!(!is_rust_path("a ::b"));
    }
}
