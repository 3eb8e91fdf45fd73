//! From descriptors to output files: the steps shared by all three ways to run
//! the generator.
//!
//! Invariant: the same descriptors and settings give the same text, byte for
//! byte, wherever the descriptors came from.

use std::collections::BTreeMap;

use protobuf::descriptor::FileDescriptorSet;
use riak_codegen::model::Schema;

use crate::output::{self, Formatted, OutputFile};
use crate::settings::Settings;
use crate::{Diagnostic, Diagnostics, Error, resolve};

/// The output of a run.
pub(crate) struct Generated {
    pub(crate) files: Vec<OutputFile>,
    pub(crate) notices: Vec<Diagnostic>,
}

/// Resolves a set of descriptors into a model.
///
/// `shown` maps file names to the paths that faults print.
pub(crate) fn resolve(
    set: &FileDescriptorSet,
    to_generate: &[String],
    settings: &Settings,
    shown: &BTreeMap<String, String>,
) -> Result<(Schema, Vec<Diagnostic>), Error> {
    let options = settings.resolve_options(set)?;
    let rename = |mut diagnostic: Diagnostic| {
        if let Some(path) = shown.get(&diagnostic.file) {
            diagnostic.file.clone_from(path);
        }
        diagnostic
    };
    match resolve::resolve(set, to_generate, &options) {
        Ok((schema, notices)) => Ok((schema, notices.into_iter().map(rename).collect())),
        Err(faults) => {
            let faults: Vec<Diagnostic> = faults.into_iter().map(rename).collect();
            let order: Vec<String> = faults.iter().map(|fault| fault.file.clone()).collect();
            Err(Diagnostics::sorted(faults, order.iter().map(String::as_str)).into())
        }
    }
}

/// Generates the code for a set of descriptors.
pub(crate) fn generate(
    set: &FileDescriptorSet,
    to_generate: &[String],
    settings: &Settings,
    shown: &BTreeMap<String, String>,
    formatted: &Formatted,
) -> Result<Generated, Error> {
    let (schema, notices) = resolve(set, to_generate, settings, shown)?;
    let files = output::render(&schema, &settings.emit, formatted)?;
    Ok(Generated { files, notices })
}
