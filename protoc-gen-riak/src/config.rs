//! [`Config`]: the generator as a library, for build scripts.
//!
//! Invariant: cargo runs a build script that calls it again when a file that
//! was read has changed, and only then.

use std::env;
use std::path::{self, Path, PathBuf};

use riak_codegen::model::Schema;

use crate::generate::{self, Generated};
use crate::output::Formatted;
use crate::settings::Settings;
use crate::source::{self, Loaded, Sources};
use crate::{BytesType, Diagnostic, Diagnostics, Error, OutputFile, builtin, output};

/// A builder for the generator's settings, which runs the generator on `.proto` files
/// without `protoc`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let schema = r#"
///     syntax = "proto2";
///     import "riak_options.proto"; // built in
///     message PriceReq {
///         option (riak.code) = 232;
///         required string item = 1;
///     }
/// "#;
/// std::fs::write(dir.join("shop.proto"), schema)?;
///
/// let config = protoc_gen_riak::Config::new().server(false);
/// let files = config.generate(&[dir.join("shop.proto")], &[dir])?;
/// let shop = files.iter().find(|file| file.name == "shop.rs").expect("a module for each file");
/// assert!(shop.text.contains("pub struct PriceReq {"));
/// # Ok(())
/// # }
/// ```
///
/// In a build script, [`Config::compile`] writes the files into `OUT_DIR`, from which
/// your crate includes them: see the [crate]'s example.
///
/// A setting's path is a protobuf name with a leading dot: `.` for everything, `.pkg`,
/// `.pkg.Message` or `.pkg.Message.field`. The longest path that matches applies.
#[derive(Clone, Debug, Default)]
pub struct Config {
    settings: Settings,
    out_dir: Option<PathBuf>,
}

/// The files that a run of [`Config::compile`] read and wrote, and its notices.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The files that were written; the root module is last.
    pub written: Vec<PathBuf>,
    /// Every file that was read, including imports.
    pub read: Vec<PathBuf>,
    /// Notices: facts inferred from names, and parts of an overlay that were left out.
    pub notices: Vec<Diagnostic>,
}

impl Config {
    /// Creates the default settings: everything is emitted, for `::riak_runtime`, with
    /// `Blob` for `bytes` fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the directory to write to; `OUT_DIR` by default. Each run writes a `mod.rs`,
    /// so a build script that runs the generator twice needs a second directory.
    #[must_use]
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Reads message codes from a table of `code,name,file` lines, such as Riak's
    /// `riak_pb_messages.csv`. Request and response pairs and streams are then inferred
    /// from names; each inference is a notice.
    #[must_use]
    pub fn codes(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.codes = Some(file.into());
        self
    }

    /// Adds an overlay: a file that imports schemas as they are published, and adds by
    /// options what they leave out. Options for things that an older schema does not have
    /// are left out, each with a notice. `riak_services.proto`, the overlay for Riak's
    /// schemas, is built in.
    #[must_use]
    pub fn overlay(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.overlays.push(file.into());
        self
    }

    /// Uses the types of another crate instead of generating them again.
    ///
    /// `proto` is a file (`riak_kv.proto`), a package (`.google.protobuf`) or a type
    /// (`.my.Type`). `rust` is the module that contains the other crate's generated
    /// modules, such as `::types::generated`.
    ///
    /// # Errors
    ///
    /// If `rust` is not a Rust path.
    pub fn extern_path(mut self, proto: &str, rust: &str) -> Result<Self, Error> {
        self.settings.extern_path(proto, rust)?;
        Ok(self)
    }

    /// Uses the types of another crate, usually `::riak_client`, for all of Riak's own schemas.
    ///
    /// # Errors
    ///
    /// If `rust` is not a Rust path.
    pub fn riak_client(mut self, rust: &str) -> Result<Self, Error> {
        self.settings.riak_client(rust)?;
        Ok(self)
    }

    /// Sets the type of `bytes` fields below a path. [`BytesType::Blob`] by default.
    /// [`BytesType::Bytes`] needs the runtime's feature `bytes`.
    #[must_use]
    pub fn bytes(mut self, path: &str, ty: BytesType) -> Self {
        self.settings.resolve.bytes.push((path.to_owned(), ty));
        self
    }

    /// Sets whether messages below a path keep fields that the schema does not define and
    /// encode them again. True by default.
    #[must_use]
    pub fn unknown_fields(mut self, path: &str, keep: bool) -> Self {
        self.settings.resolve.unknown_fields.push((path.to_owned(), keep));
        self
    }

    /// Sets whether to emit owned forms, `Foo`. True by default. Without them the text is
    /// half as long, but messages can only be decoded as borrowed forms. Clients, servers
    /// and code tables need owned forms and have to be switched off as well:
    ///
    /// ```
    /// let config = protoc_gen_riak::Config::new();
    /// let config = config.owned(false).client(false).server(false).code_tables(false);
    /// # let _ = config;
    /// ```
    #[must_use]
    pub fn owned(mut self, emit: bool) -> Self {
        self.settings.emit.owned = emit;
        self
    }

    /// Sets whether to emit borrowed forms, `FooRef<'a>`. True by default.
    #[must_use]
    pub fn borrowed(mut self, emit: bool) -> Self {
        self.settings.emit.borrowed = emit;
        self
    }

    /// Sets whether to emit a client for each service. True by default. Clients need the
    /// runtime's feature `client`.
    #[must_use]
    pub fn client(mut self, emit: bool) -> Self {
        self.settings.emit.client = emit;
        self
    }

    /// Sets whether to emit a server trait and a dispatcher for each service. True by
    /// default. They need the runtime's feature `server`.
    #[must_use]
    pub fn server(mut self, emit: bool) -> Self {
        self.settings.emit.server = emit;
        self
    }

    /// Sets whether to emit `MessageCode` and `AnyMessage`. True by default.
    #[must_use]
    pub fn code_tables(mut self, emit: bool) -> Self {
        self.settings.emit.codes = emit;
        self
    }

    /// Puts clients behind this feature of the crate that contains the generated code. A
    /// name that cargo would not accept fails the run.
    #[must_use]
    pub fn client_feature(mut self, name: &str) -> Self {
        self.settings.emit.client_feature = Some(name.to_owned());
        self
    }

    /// Puts server traits behind this feature of the crate that contains the generated code.
    /// A name that cargo would not accept fails the run.
    #[must_use]
    pub fn server_feature(mut self, name: &str) -> Self {
        self.settings.emit.server_feature = Some(name.to_owned());
        self
    }

    /// Sets the path of the runtime crate. `::riak_runtime` by default.
    ///
    /// # Errors
    ///
    /// If `rust` is not a Rust path.
    pub fn runtime(mut self, rust: &str) -> Result<Self, Error> {
        self.settings.set("runtime", rust)?;
        Ok(self)
    }

    /// Sets a setting from text: a plugin parameter or a command-line flag.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.settings.set(name, value)
    }

    /// Generates code from files and writes it: one file for each schema, and a
    /// `mod.rs`. A file whose text has not changed is not written again.
    ///
    /// Each file, and each file that it imports, has to lie below one of the include
    /// directories; the default is the current directory. In a build script, this method
    /// tells cargo which files were read, and passes notices on as warnings. It also leaves a
    /// cache in `OUT_DIR`, a file `protoc-gen-riak-….formatted`, so that the next run formats
    /// only what has changed.
    ///
    /// # Errors
    ///
    /// If anything is wrong with the files or the settings, or the output cannot be
    /// written. All faults of all files are reported at once ([`Error::Schema`]), and
    /// nothing is written in that case.
    pub fn compile(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<Report, Error> {
        let dir = match &self.out_dir {
            Some(dir) => dir.clone(),
            None => env::var_os("OUT_DIR").map(PathBuf::from).ok_or(Error::NoOutDir)?,
        };
        let formatted = if is_build_script() { Formatted::for_output(&dir) } else { Formatted::uncached() };
        let (loaded, generated) = match self.run(files, includes, &formatted) {
            Ok(done) => done,
            Err(error) => {
                // So that cargo runs the build script again once the file is fixed.
                let inputs = files.iter().map(|file| file.as_ref().to_owned());
                report_to_cargo(&inputs.chain(self.settings.codes.clone()).collect::<Vec<_>>(), &[]);
                return Err(error);
            }
        };
        let written = output::write(&dir, &generated.files)?;
        formatted.save();
        let mut read = loaded.read;
        read.extend(self.settings.codes.clone());
        let notices: Vec<Diagnostic> = loaded.notices.into_iter().chain(generated.notices).collect();
        report_to_cargo(&read, &notices);
        Ok(Report { written, read, notices })
    }

    /// Generates code and returns it, the root module last. Writes no files, and prints
    /// nothing for cargo.
    ///
    /// # Errors
    ///
    /// As for [`Config::compile`].
    pub fn generate(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<Vec<OutputFile>, Error> {
        self.run(files, includes, &Formatted::uncached()).map(|(_, generated)| generated.files)
    }

    fn run(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
        formatted: &Formatted,
    ) -> Result<(Loaded, Generated), Error> {
        let loaded = self.load(files, includes)?;
        let (set, to_generate) = (&loaded.set, &loaded.to_generate);
        let generated = generate::generate(set, to_generate, &self.settings, &loaded.shown, formatted)?;
        Ok((loaded, generated))
    }

    /// Reads files and resolves them into a model, for commands that print the model.
    pub(crate) fn schema(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(Schema, Vec<Diagnostic>), Error> {
        let loaded = self.load(files, includes)?;
        let (schema, notices) =
            generate::resolve(&loaded.set, &loaded.to_generate, &self.settings, &loaded.shown)?;
        Ok((schema, loaded.notices.into_iter().chain(notices).collect()))
    }

    fn load(&self, files: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<Loaded, Error> {
        if files.is_empty() {
            return Err(Error::NoFiles);
        }
        let sources = Sources {
            include: includes.iter().map(|dir| dir.as_ref().to_owned()).collect(),
            files: files.iter().map(|file| file.as_ref().to_owned()).collect(),
            overlays: self.settings.overlays.clone(),
            builtin: builtin::FILES,
        };
        source::load(&sources).map_err(|faults| self.all_faults(&sources, faults).into())
    }

    /// Adds the faults that `resolve` finds in what can be salvaged of files that cannot
    /// be read completely, so that one run reports all faults.
    fn all_faults(&self, sources: &Sources<'_>, faults: Diagnostics) -> Diagnostics {
        let Some(left) = source::salvage(sources) else { return faults };
        let loaded = &left.loaded;
        let more = match generate::resolve(&loaded.set, &loaded.to_generate, &self.settings, &loaded.shown) {
            Err(Error::Schema(more)) => more.into_iter().filter(|fault| !left.explains(fault)).collect(),
            _ => Vec::new(),
        };
        let order: Vec<String> = left.order().map(str::to_owned).collect();
        let all = faults.into_iter().chain(more).collect();
        Diagnostics::sorted(all, order.iter().map(String::as_str))
    }
}

/// Reports whether this is a build script: cargo sets both variables for those only.
fn is_build_script() -> bool {
    env::var_os("OUT_DIR").is_some() && env::var_os("CARGO_MANIFEST_DIR").is_some()
}

/// Tells cargo which files were read, and prints the notices, if this runs in a build
/// script.
fn report_to_cargo(read: &[PathBuf], notices: &[Diagnostic]) {
    if !is_build_script() {
        return;
    }
    for path in read {
        println!("cargo:rerun-if-changed={}", path_to_watch(path).display());
    }
    for notice in notices {
        println!("cargo:warning={notice}");
    }
}

/// Returns the path for cargo to watch. A symbolic link is not resolved: cargo follows
/// it, and so also notices when it is changed to point elsewhere.
fn path_to_watch(path: &Path) -> PathBuf {
    path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_watched_rather_than_their_targets() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link.proto");
        std::os::unix::fs::symlink(dir.path().join("file.proto"), &link).unwrap();
        std::fs::write(dir.path().join("file.proto"), "").unwrap();
        assert_eq!(path_to_watch(&link), link);
        // Cargo may resolve paths against another directory.
        assert_eq!(path_to_watch(Path::new("a.proto")), env::current_dir().unwrap().join("a.proto"));
    }

    #[test]
    fn the_name_of_a_feature_is_checked_before_anything_is_generated() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.proto");
        std::fs::write(&file, "syntax = \"proto3\";").unwrap();
        let error = |config: Config| config.generate(&[&file], &[dir.path()]).unwrap_err().to_string();
        assert!(error(Config::new().client_feature("a b")).starts_with("client_feature: \"a b\" cannot be"));
        assert!(error(Config::new().server_feature("")).starts_with("server_feature: \"\" cannot be"));
    }

    #[test]
    fn a_pattern_that_fits_no_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let none: [&Path; 0] = [];
        let error = Config::new().out_dir(dir.path()).compile(&none, &none).unwrap_err();
        assert!(matches!(error, Error::NoFiles), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
