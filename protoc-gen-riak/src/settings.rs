//! The settings of a run: one list for the plugin's parameters, the command-line
//! flags and the methods of [`Config`](crate::Config).
//!
//! Invariant: a setting has the same name, values and effect in all three.

use std::fs;
use std::path::{Path, PathBuf};

use protobuf::descriptor::{FileDescriptorProto, FileDescriptorSet};
use riak_codegen::emit;
use riak_codegen::model::BytesType;
use riak_codegen::suggest::nearest;

use crate::resolve::{self, CodeTable, is_rust_path};
use crate::{Error, builtin};

/// All settings, with their defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) resolve: resolve::Options,
    pub(crate) emit: emit::Options,
    pub(crate) overlays: Vec<PathBuf>,
    /// The path of the message-code table, which is read when it is needed.
    pub(crate) codes: Option<PathBuf>,
    /// The crate whose types are used for all of Riak's own schemas.
    pub(crate) riak_client: Option<String>,
}

/// A setting, as the help text shows it.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
}

/// Every setting that can be given as text.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting { name: "codes", value: "FILE.csv", help: "message codes as `code,name,file` lines" },
    Setting {
        name: "overlay",
        value: "FILE.proto",
        help: "a file that annotates schemas kept as published; `riak_services.proto` is built in; protoc gets it as one of its files",
    },
    Setting {
        name: "extern_path",
        value: "PROTO=RUST",
        help: "use another crate's types: a file, `.package` or `.package.Type`, and the crate's module",
    },
    Setting {
        name: "riak_client",
        value: "RUST",
        help: "use this crate's types, usually ::riak_client, for all of Riak's own schemas",
    },
    Setting {
        name: "bytes",
        value: "[PATH=]TYPE",
        help: "type of bytes fields: blob (default), vec or bytes",
    },
    Setting {
        name: "unknown_fields",
        value: "[PATH=]BOOL",
        help: "keep fields that the schema does not know (default true)",
    },
    Setting {
        name: "owned",
        value: "BOOL",
        help: "emit owned forms, `Foo` (default true); without them there is nothing to make clients, servers \
               and code tables of",
    },
    Setting { name: "borrowed", value: "BOOL", help: "emit borrowed forms, `FooRef` (default true)" },
    Setting { name: "client", value: "BOOL", help: "emit clients (default true)" },
    Setting { name: "server", value: "BOOL", help: "emit server traits (default true)" },
    Setting {
        name: "code_tables",
        value: "BOOL",
        help: "emit `MessageCode` and `AnyMessage` (default true)",
    },
    Setting { name: "client_feature", value: "NAME", help: "put clients behind this feature of your crate" },
    Setting {
        name: "server_feature",
        value: "NAME",
        help: "put server traits behind this feature of your crate",
    },
    Setting { name: "runtime", value: "RUST", help: "path of the runtime crate (default ::riak_runtime)" },
];

impl Settings {
    /// Sets the setting `name` to `value`.
    ///
    /// # Errors
    ///
    /// If there is no such setting, or `value` is not one of its values.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let fail = |message: String| Error::Parameter { name: name.to_owned(), message };
        let known = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
        if known(name) && value.is_empty() {
            return Err(fail("has no value".to_owned()));
        }
        match name {
            "codes" => self.codes = Some(value.into()),
            "overlay" => self.overlays.push(value.into()),
            "extern_path" => {
                let (proto, rust) = value.split_once('=').ok_or_else(|| {
                    fail(format!("write PROTO=RUST, such as riak_kv.proto=::riak_client, and not {value}"))
                })?;
                self.extern_path(proto, rust)?;
            }
            "riak_client" => self.riak_client(value)?,
            "bytes" => {
                let (path, ty) = rule(value);
                let ty = match ty {
                    "blob" => BytesType::Blob,
                    "vec" => BytesType::Vec,
                    "bytes" => BytesType::Bytes,
                    other => return Err(fail(format!("there is no type {other}: write blob, vec or bytes"))),
                };
                self.resolve.bytes.push((path.to_owned(), ty));
            }
            "unknown_fields" => {
                let (path, keep) = rule(value);
                let keep = boolean(keep).map_err(fail)?;
                self.resolve.unknown_fields.push((path.to_owned(), keep));
            }
            "owned" => self.emit.owned = boolean(value).map_err(fail)?,
            "borrowed" => self.emit.borrowed = boolean(value).map_err(fail)?,
            "client" => self.emit.client = boolean(value).map_err(fail)?,
            "server" => self.emit.server = boolean(value).map_err(fail)?,
            "code_tables" => self.emit.codes = boolean(value).map_err(fail)?,
            "client_feature" => {
                feature(value).map_err(fail)?;
                self.emit.client_feature = Some(value.to_owned());
            }
            "server_feature" => {
                feature(value).map_err(fail)?;
                self.emit.server_feature = Some(value.to_owned());
            }
            "runtime" => self.emit.runtime = rust_path(value, "::riak_runtime").map_err(fail)?,
            _ => return Err(fail(format!("there is no such setting{}", suggestion(name)))),
        }
        Ok(())
    }

    /// Uses another crate's types for a file, package or type.
    pub(crate) fn extern_path(&mut self, proto: &str, rust: &str) -> Result<(), Error> {
        let fail = |message| Error::Parameter { name: "extern_path".to_owned(), message };
        let rust = rust_path(rust, "::riak_client").map_err(fail)?;
        self.resolve.extern_paths.push((proto.to_owned(), rust));
        Ok(())
    }

    /// Uses another crate's types for all of Riak's own schemas.
    pub(crate) fn riak_client(&mut self, rust: &str) -> Result<(), Error> {
        let fail = |message| Error::Parameter { name: "riak_client".to_owned(), message };
        self.riak_client = Some(rust_path(rust, "::riak_client").map_err(fail)?);
        Ok(())
    }

    /// Rejects settings that ask for code without the message forms that it needs.
    fn check_forms(&self) -> Result<(), Error> {
        let emit = &self.emit;
        let fail =
            |message: &str| Err(Error::Parameter { name: "owned".to_owned(), message: message.to_owned() });
        match (emit.owned, emit.borrowed) {
            (false, false) => fail("there is no message left without borrowed forms: leave one of the two"),
            (false, true) if emit.client || emit.server || emit.codes => fail(
                "clients, servers and code tables are made of owned forms: leave these, or set client, server and \
                 code_tables to false as well",
            ),
            _ => Ok(()),
        }
    }

    /// Rejects names of features that a method has set: the methods do not fail.
    fn check_features(&self) -> Result<(), Error> {
        let features =
            [("client_feature", &self.emit.client_feature), ("server_feature", &self.emit.server_feature)];
        for (name, value) in features {
            if let Some(value) = value {
                feature(value).map_err(|message| Error::Parameter { name: name.to_owned(), message })?;
            }
        }
        Ok(())
    }

    /// Returns the options with which to resolve `set`, after reading the message-code
    /// table.
    ///
    /// # Errors
    ///
    /// If the table cannot be read or is malformed, or a setting has no valid value.
    pub(crate) fn resolve_options(&self, set: &FileDescriptorSet) -> Result<resolve::Options, Error> {
        self.check_forms()?;
        self.check_features()?;
        let mut options = self.resolve.clone();
        if let Some(rust) = &self.riak_client {
            // Only the schemas of Riak that are in the set. They precede the
            // explicit paths, which override them.
            let used = set.file.iter().map(FileDescriptorProto::name).filter(|name| is_riak(name));
            let mapped = used.map(|name| (name.to_owned(), rust.clone()));
            options.extern_paths = mapped.chain(options.extern_paths).collect();
        }
        if let Some(path) = &self.codes {
            let bytes = fs::read(path).map_err(|error| Error::Read { path: path.clone(), error })?;
            // What is not UTF-8 is no row, and parsing says where it is and what a row is.
            let text = String::from_utf8_lossy(&bytes);
            options.codes = Some(CodeTable::parse(&shown(path), &text)?);
        }
        Ok(options)
    }
}

/// Reports whether a file is one of Riak's own schemas.
fn is_riak(name: &str) -> bool {
    name != "riak_options.proto" && builtin::FILES.iter().any(|(builtin, _)| *builtin == name)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Splits a rule into path and value; the path defaults to `.`, which is everything.
fn rule(text: &str) -> (&str, &str) {
    text.rsplit_once('=').unwrap_or((".", text))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("write true or false, and not {other}")),
    }
}

/// Checks a Rust path; `example` is one for the error.
fn rust_path(text: &str, example: &str) -> Result<String, String> {
    if is_rust_path(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text} is not a Rust path: write one such as {example}"))
    }
}

/// Checks the name of a feature by cargo's rules.
fn feature(name: &str) -> Result<(), String> {
    let starts = |char: char| char.is_alphanumeric() || char == '_';
    if name.starts_with(starts) && name.chars().all(|char| starts(char) || "-+.".contains(char)) {
        return Ok(());
    }
    Err(format!(
        "\"{name}\" cannot be the name of a feature of your crate: write letters, digits, _, -, + and ., and begin \
         with a letter, a digit or _"
    ))
}

/// Returns a suggestion: a setting with a similar name, or else the list of all settings.
fn suggestion(name: &str) -> String {
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    let wanted = plain(name);
    let names = || SETTINGS.iter().map(|setting| setting.name);
    let begins_alike = |name: &&str| {
        let known = plain(name);
        known.starts_with(&wanted) || wanted.starts_with(&known)
    };
    if let Some(near) = names().find(begins_alike).or_else(|| nearest(name, names())) {
        return format!("; did you mean {near}?");
    }
    format!(": there are {}", names().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_in_the_list_can_be_set() {
        let mut settings = Settings::default();
        for setting in SETTINGS {
            let value = match setting.value {
                "BOOL" | "[PATH=]BOOL" => "false",
                "[PATH=]TYPE" => ".RpbContent.value=vec",
                "PROTO=RUST" => "riak.proto=::mine",
                "RUST" => "::mine",
                _ => "x",
            };
            settings.set(setting.name, value).unwrap();
            assert!(settings.set(setting.name, "").is_err());
        }
        assert!(!settings.emit.borrowed && !settings.emit.client && !settings.emit.server);
        assert_eq!(settings.resolve.bytes, [(".RpbContent.value".to_owned(), BytesType::Vec)]);
        assert_eq!(settings.resolve.unknown_fields, [(".".to_owned(), false)]);
    }

    #[test]
    fn riak_client_maps_the_riak_schemas_in_the_set() {
        let mut settings = Settings::default();
        settings.set("riak_client", "::riak_client").unwrap();
        settings.set("extern_path", "riak_kv.proto=::mine").unwrap();
        let mut set = FileDescriptorSet::new();
        for name in ["riak.proto", "riak_options.proto", "shop.proto"] {
            let mut file = FileDescriptorProto::new();
            file.set_name(name.to_owned());
            set.file.push(file);
        }
        let paths = settings.resolve_options(&set).unwrap().extern_paths;
        let expected = [("riak.proto", "::riak_client"), ("riak_kv.proto", "::mine")];
        assert_eq!(paths, expected.map(|(proto, rust)| (proto.to_owned(), rust.to_owned())));
    }

    #[test]
    fn a_binary_is_no_code_table() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        fs::write(&path, b"\x00\xffab\n\xfe").unwrap();
        let settings = Settings { codes: Some(path), ..Settings::default() };
        let error = settings.resolve_options(&FileDescriptorSet::new()).unwrap_err().to_string();
        assert!(error.contains("codes.csv:1:1: this file is no table of message codes"), "{error}");
        assert!(error.ends_with("differs is \"\u{fffd}\u{fffd}ab\""), "{error}");
    }

    #[test]
    fn errors_say_what_to_write() {
        let error = |name, value| Settings::default().set(name, value).unwrap_err().to_string();
        assert_eq!(error("borowed", "true"), "borowed: there is no such setting; did you mean borrowed?");
        assert_eq!(error("bytes", "string"), "bytes: there is no type string: write blob, vec or bytes");
        assert_eq!(error("client", "yes"), "client: write true or false, and not yes");
        assert!(error("extern_path", "x").contains("PROTO=RUST"));
        assert_eq!(
            error("runtime", "a-b"),
            "runtime: a-b is not a Rust path: write one such as ::riak_runtime"
        );
        for path in ["a::", "::crate::a", "a::self", "Self", "_", "crate::fn", "a b"] {
            assert!(rust_path(path, "::x").is_err(), "{path}");
        }
        assert!(error("zzz", "1").contains("codes, overlay"));
    }

    #[test]
    fn the_name_of_a_feature_is_one_that_cargo_accepts() {
        for name in ["client", "_x", "2024", "serde-1.0+x", "größe"] {
            let mut settings = Settings::default();
            settings.set("client_feature", name).unwrap();
            settings.set("server_feature", name).unwrap();
            settings.resolve_options(&FileDescriptorSet::new()).unwrap();
        }
        for name in ["a b", "dep:tokio", "tokio/net", "-a", "+a", ".a", "a\"", "client?"] {
            for setting in ["client_feature", "server_feature"] {
                let error = Settings::default().set(setting, name).unwrap_err().to_string();
                assert_eq!(
                    error,
                    format!(
                        "{setting}: \"{name}\" cannot be the name of a feature of your crate: write letters, \
                         digits, _, -, + and ., and begin with a letter, a digit or _"
                    )
                );
            }
        }
    }
}
