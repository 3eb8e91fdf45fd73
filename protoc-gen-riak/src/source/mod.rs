//! Reads `.proto` files without `protoc`.
//!
//! Files are parsed twice. The parser of this module provides what users need: every fault of every
//! file at its place, comments, and the places of all elements. Files that pass its checks go to
//! `protobuf-parse`, in a simplified form that it reads without errors, which returns descriptors.
//!
//! ```text
//! files ── lexer ── parser ── graph ── overlay ── types ── check ── backend ── complete
//! ```
//!
//! Invariant: [`load`] returns what `protoc --include_imports --include_source_info` returns for the
//! same files, with two exceptions: options of extension ranges are left out, and the standard files
//! that every protobuf compiler provides have no source code info unless they are found in an
//! include directory.

mod ast;
mod backend;
mod check;
mod comments;
mod complete;
mod files;
mod graph;
mod lexer;
mod mangling;
mod overlay;
mod parser;
mod salvage;
mod statements;
mod text;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;

use protobuf::descriptor::FileDescriptorSet;

pub(crate) use salvage::salvage;

use crate::{Diagnostic, Diagnostics};

/// The files to read, and where to find them.
#[derive(Debug, Clone, Default)]
pub struct Sources<'a> {
    /// The directories in which imports are looked up, in this order. Empty means the current directory.
    pub include: Vec<PathBuf>,
    /// The files to read. Each must be in an include directory.
    pub files: Vec<PathBuf>,
    /// Overlays: files that import schemas and add options to them. Options for messages, fields and
    /// files that do not exist are left out, with a notice. An overlay may be outside of the include
    /// directories, or be the name of a built-in text.
    pub overlays: Vec<PathBuf>,
    /// Texts for files that are in no include directory: name and text.
    pub builtin: &'a [(&'a str, &'a str)],
}

/// The files that were read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// All files, with places and comments; each comes after its imports.
    pub set: FileDescriptorSet,
    /// The names in `set` of the files and overlays that [`Sources`] lists.
    pub to_generate: Vec<String>,
    /// Every file that was read from disk, including imports.
    pub read: Vec<PathBuf>,
    /// What was left out of overlays, and why.
    pub notices: Vec<Diagnostic>,
    /// The name by which diagnostics show each file in `set`: its path, if it has one.
    pub shown: BTreeMap<String, String>,
}

/// Reads files and their imports.
///
/// # Errors
///
/// All faults of all files: one syntax error per file; imports that are missing or cyclic; and, for
/// files that can be read together with all of their imports, everything that `protoc` would reject.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, Diagnostics> {
    let mut graph = graph::Graph::read(sources);
    graph.check_imports();
    let notices = overlay::prune(&mut graph);
    let order = graph.shown_order();
    let checked = check::check(&mut graph);
    let fail = |faults| Diagnostics::sorted(faults, order.iter().map(String::as_str));
    let (types, options) = checked.map_err(&fail)?;
    finish(&graph, &types, &options, notices).map_err(&fail)
}

/// Makes descriptors of files that have been checked.
fn finish(
    graph: &graph::Graph,
    types: &types::Types,
    options: &check::Options,
    notices: Vec<Diagnostic>,
) -> Result<Loaded, Vec<Diagnostic>> {
    let order = graph.shown_order();
    let set = backend::descriptors(graph, types)?;
    let set = complete::complete(set, graph, types, options);
    Ok(Loaded {
        set,
        to_generate: graph.to_generate(),
        read: graph.read.clone(),
        notices: Diagnostics::sorted(notices, order.iter().map(String::as_str)).into_iter().collect(),
        shown: graph.shown(),
    })
}
