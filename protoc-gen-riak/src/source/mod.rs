//! Reads `.proto` files without `protoc`.
//!
//! The files are read twice. A reader of our own gives what a person needs: every fault of every
//! file at its place, comments, the places of all elements. What passes its checks goes to
//! `protobuf-parse`, in a plain form that it reads without fault, and comes back as descriptors.
//!
//! ```text
//! files ── lexer ── parser ── graph ── overlay ── types ── check ── handover ── mend
//! ```
//!
//! Invariant: what [`load`] gives is what `protoc --include_imports --include_source_info` would
//! give for the same files. The exceptions: options of extension ranges are left out; the files that
//! every protobuf compiler brings have no source code info unless they are found in an include
//! directory.

mod ast;
mod check;
mod comments;
mod files;
mod graph;
mod handover;
mod lexer;
mod mend;
mod overlay;
mod parser;
mod salvage;
mod spelling;
mod statements;
mod text;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;

use protobuf::descriptor::FileDescriptorSet;

pub(crate) use salvage::salvage;

use crate::{Diagnostic, Diagnostics};

/// What is to be read, and where from.
#[derive(Debug, Clone, Default)]
pub struct Sources<'a> {
    /// Where imports are looked for, in this order. Empty means the current directory.
    pub include: Vec<PathBuf>,
    /// The files to read. Each lies under an include directory.
    pub files: Vec<PathBuf>,
    /// Overlays: files that import schemas and say more about them. What they say about messages,
    /// fields and files that are not there is left out, with a notice. An overlay may lie outside of
    /// the include directories, or be the name of a built-in text.
    pub overlays: Vec<PathBuf>,
    /// Texts that stand in for files which are in no include directory: name and text.
    pub builtin: &'a [(&'a str, &'a str)],
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// All files, imports before the files that import them, each with places and comments.
    pub set: FileDescriptorSet,
    /// The names, as in `set`, of the files and overlays that were asked for.
    pub to_generate: Vec<String>,
    /// Every file that was read from disk, imports too.
    pub read: Vec<PathBuf>,
    /// What was left out of overlays, and why.
    pub notices: Vec<Diagnostic>,
    /// For each name in `set`, the file as diagnostics name it: the path where there is one.
    pub shown: BTreeMap<String, String>,
}

/// Reads files and what they import.
///
/// # Errors
///
/// All faults of all files: one syntax error a file; imports that are not found or go in a circle;
/// and, for files that can be read with all that they import, everything that `protoc` would refuse.
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

/// Makes descriptors of what has been checked.
fn finish(
    graph: &graph::Graph,
    types: &types::Types,
    options: &check::Options,
    notices: Vec<Diagnostic>,
) -> Result<Loaded, Vec<Diagnostic>> {
    let order = graph.shown_order();
    let set = handover::descriptors(graph, types)?;
    let set = mend::mend(set, graph, types, options);
    Ok(Loaded {
        set,
        to_generate: graph.to_generate(),
        read: graph.read.clone(),
        notices: Diagnostics::sorted(notices, order.iter().map(String::as_str)).into_iter().collect(),
        shown: graph.shown(),
    })
}
