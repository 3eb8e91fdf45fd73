//! Flags of the commands that read schemas.
//!
//! Invariant: a flag is accepted as `--key value` and as `--key=value`, with
//! `-` or `_` inside its name.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Failure;
use crate::Config;

/// The parsed arguments of a command.
#[derive(Default)]
pub(super) struct Flags {
    pub(super) config: Config,
    pub(super) include: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
    pub(super) out: Option<PathBuf>,
    pub(super) format: Option<String>,
}

impl Flags {
    /// Parses a command's arguments.
    pub(super) fn parse(args: &[OsString]) -> Result<Self, Failure> {
        let mut flags = Self::default();
        let mut args = args.iter();
        let mut only_files = false;
        while let Some(arg) = args.next() {
            let text = arg.to_str().unwrap_or_default();
            if only_files || !text.starts_with('-') || text == "-" {
                flags.files.push(arg.into());
                continue;
            }
            if text == "--" {
                only_files = true;
                continue;
            }
            let (name, attached) = split(text);
            let value = attached.map(OsString::from).or_else(|| args.next().cloned());
            flags.set(name, value)?;
        }
        if flags.files.is_empty() {
            return Err(Failure::Usage("no .proto files were named".to_owned()));
        }
        // As in protoc, the current directory is the default.
        if flags.include.is_empty() {
            flags.include.push(PathBuf::from("."));
        }
        Ok(flags)
    }

    fn set(&mut self, name: &str, value: Option<OsString>) -> Result<(), Failure> {
        let missing = || Failure::Usage(format!("{name} has no value"));
        match name {
            "-I" | "--include" | "--proto_path" => self.include.push(value.ok_or_else(missing)?.into()),
            "-o" | "--out" => self.out = Some(value.ok_or_else(missing)?.into()),
            "--format" => self.format = Some(value.ok_or_else(missing)?.to_string_lossy().into_owned()),
            _ => {
                let key = name.trim_start_matches('-').replace('-', "_");
                // No setting accepts an empty value, and a setting that does not exist says so.
                self.config.set(&key, &value.unwrap_or_default().to_string_lossy())?;
            }
        }
        Ok(())
    }
}

/// Splits a flag into its name and the value attached to it.
fn split(text: &str) -> (&str, Option<&str>) {
    if text.starts_with("--") {
        return match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
    }
    // The value may follow a short flag without a space: -Iproto.
    match text.char_indices().nth(2) {
        Some((at, _)) => (&text[..at], Some(text[at..].trim_start_matches('='))),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Flags, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        Flags::parse(&args).map_err(|failure| match failure {
            Failure::Usage(text) => text,
            Failure::Run(error) => error.to_string(),
        })
    }

    #[test]
    fn values_are_attached_or_follow() {
        let flags = parse(&["-Ia", "-I", "b", "--out=c", "--client-feature", "x", "d.proto", "--", "-e"])
            .ok()
            .unwrap();
        assert_eq!(flags.include, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(flags.out, Some(PathBuf::from("c")));
        assert_eq!(flags.files, [PathBuf::from("d.proto"), PathBuf::from("-e")]);
    }

    #[test]
    fn include_directory_defaults_to_the_current_one() {
        assert_eq!(parse(&["a.proto"]).ok().unwrap().include, [PathBuf::from(".")]);
        assert_eq!(parse(&["-Ib", "a.proto"]).ok().unwrap().include, [PathBuf::from("b")]);
    }

    #[test]
    fn usage_errors_are_described() {
        for flag in ["-I", "--include", "-o", "--out", "--format"] {
            assert_eq!(parse(&["a.proto", flag]).err().unwrap(), format!("{flag} has no value"));
        }
        assert_eq!(parse(&["-Ia"]).err().unwrap(), "no .proto files were named");
        let refused = |args: &[&str]| parse(args).err().unwrap();
        assert!(refused(&["--clients=true", "a.proto"]).contains("did you mean client?"));
        assert!(refused(&["a.proto", "--clients"]).contains("did you mean client?"));
        assert_eq!(refused(&["a.proto", "--client-feature"]), "client_feature: has no value");
    }
}
