//! [`Config`]: the generator as a library, for build scripts.
//!
//! Invariant: a build script that calls it is run again when a file that was
//! read has changed, and only then.

use std::env;
use std::path::{self, Path, PathBuf};

use riak_codegen::model::Schema;

use crate::generate::{self, Generated};
use crate::output::Formatted;
use crate::settings::Settings;
use crate::source::{self, Loaded, Sources};
use crate::{BytesType, Diagnostic, Diagnostics, Error, OutputFile, builtin, output};

/// The settings of the generator, which generates code from `.proto` files without
/// `protoc`.
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
/// In a build script, [`Config::compile`] writes the files into `OUT_DIR`, to be
/// included where their module shall be: see the [crate](crate)'s example.
///
/// Where a setting has a path, it is a protobuf name with a dot before it: `.` for
/// everything, `.pkg`, `.pkg.Message` or `.pkg.Message.field`. The longest path that
/// fits counts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    settings: Settings,
    out_dir: Option<PathBuf>,
}

/// What a run of [`Config::compile`] read and wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The files that were written, the root module last.
    pub written: Vec<PathBuf>,
    /// Every file that was read, including imports.
    pub read: Vec<PathBuf>,
    /// Notices: what was inferred from names, and what of an overlay was left out.
    pub notices: Vec<Diagnostic>,
}

impl Config {
    /// The default settings: everything is emitted, for `::riak_runtime`, with `Blob`
    /// for `bytes` fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the directory to write to; `OUT_DIR` by default. Each run writes a `mod.rs`,
    /// so a second run in a build script needs a directory of its own.
    #[must_use]
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Reads message codes from a table of `code,name,file` lines, such as Riak's
    /// `riak_pb_messages.csv`. Which answer belongs to which request, and what is a
    /// stream, is then inferred from names; each inference is a notice.
    #[must_use]
    pub fn codes(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.codes = Some(file.into());
        self
    }

    /// Adds an overlay: a file that imports schemas, kept as they are published, and
    /// says by options what they leave out. Options for things that an older schema
    /// does not have are left out, each with a notice. `riak_services.proto`, the overlay
    /// for Riak's schemas, is built in.
    #[must_use]
    pub fn overlay(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.overlays.push(file.into());
        self
    }

    /// Uses the types of another crate instead of generating them again.
    ///
    /// `proto` is a file (`riak_kv.proto`), a package (`.google.protobuf`) or a type
    /// (`.my.Type`). `rust` is the module in which the other crate has its generated
    /// modules, such as `::types::generated`.
    ///
    /// # Errors
    ///
    /// If `rust` is not a Rust path.
    pub fn extern_path(mut self, proto: &str, rust: &str) -> Result<Self, Error> {
        self.settings.extern_path(proto, rust)?;
        Ok(self)
    }

    /// Uses the types of a crate, usually `::riak_client`, for all of Riak's own schemas.
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

    /// Sets whether messages below a path keep fields that the schema does not know, so
    /// that they are encoded again. True by default.
    #[must_use]
    pub fn unknown_fields(mut self, path: &str, keep: bool) -> Self {
        self.settings.resolve.unknown_fields.push((path.to_owned(), keep));
        self
    }

    /// Sets whether to emit owned forms, `Foo`. True by default; without them, which
    /// halves the text, messages can only be read from memory. Clients, servers and code
    /// tables need owned forms, and have to be switched off as well:
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

    /// Puts clients behind this feature of the crate that has the generated code.
    #[must_use]
    pub fn client_feature(mut self, name: &str) -> Self {
        self.settings.emit.client_feature = Some(name.to_owned());
        self
    }

    /// Puts server traits behind this feature of the crate that has the generated code.
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

    /// Sets what is given as text: a plugin's parameter, or a flag.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.settings.set(name, value)
    }

    /// Generates code from files and writes it: one file for each schema, and a
    /// `mod.rs`. A file whose text has not changed is not touched.
    ///
    /// Each file lies below one of the include directories, and so do the files that it
    /// imports; no include directory means the current one. In a build script, it tells
    /// cargo which files were read, and passes on notices as warnings. It also leaves a
    /// cache in `OUT_DIR`, a file `protoc-gen-riak-….formatted`, so that the next run
    /// formats only what has changed.
    ///
    /// # Errors
    ///
    /// If anything is wrong with the files or the settings, or the output cannot be
    /// written. All faults of all files are reported at once ([`Error::Schema`]), and
    /// nothing is written then.
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
                // So that mending the file is enough to build again.
                let inputs = files.iter().map(|file| file.as_ref().to_owned());
                tell_cargo(&inputs.chain(self.settings.codes.clone()).collect::<Vec<_>>(), &[]);
                return Err(error);
            }
        };
        let written = output::write(&dir, &generated.files)?;
        formatted.save();
        let mut read = loaded.read;
        read.extend(self.settings.codes.clone());
        let notices: Vec<Diagnostic> = loaded.notices.into_iter().chain(generated.notices).collect();
        tell_cargo(&read, &notices);
        Ok(Report { written, read, notices })
    }

    /// Generates code and returns it, the root module last. Writes nothing, and tells
    /// cargo nothing.
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

    /// Reads files and resolves them into a model, for tools that print it.
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
        let sources = Sources {
            include: includes.iter().map(|dir| dir.as_ref().to_owned()).collect(),
            files: files.iter().map(|file| file.as_ref().to_owned()).collect(),
            overlays: self.settings.overlays.clone(),
            builtin: builtin::FILES,
        };
        source::load(&sources).map_err(|faults| self.all_faults(&sources, faults).into())
    }

    /// Adds, to the faults of files that cannot be read whole, those that
    /// options have in what is left of them: all are reported in one run.
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

/// Tells cargo, if it runs this as a build script, what was read, and what
/// there is to notice.
fn tell_cargo(read: &[PathBuf], notices: &[Diagnostic]) {
    if !is_build_script() {
        return;
    }
    for path in read {
        println!("cargo:rerun-if-changed={}", watched(path).display());
    }
    for notice in notices {
        println!("cargo:warning={notice}");
    }
}

/// The path that cargo looks at. A symbolic link stays one: cargo sees what it
/// leads to, and also when it is made to lead elsewhere.
fn watched(path: &Path) -> PathBuf {
    path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_are_watched_and_not_what_they_lead_to() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link.proto");
        std::os::unix::fs::symlink(dir.path().join("file.proto"), &link).unwrap();
        std::fs::write(dir.path().join("file.proto"), "").unwrap();
        assert_eq!(watched(&link), link);
        // Cargo may look from another directory than this.
        assert_eq!(watched(Path::new("a.proto")), env::current_dir().unwrap().join("a.proto"));
    }
}
