//! Resolves descriptors into the model from which code is emitted.
//!
//! Each step has a file of its own: the files of the schema and which of them are
//! emitted (`files`), their declarations (`decls`), the Rust names of these
//! (`names`), the facts of every field (`messages`), what fields mean (`facts`),
//! the operations that methods declare (`services`, `operations`) or a code table
//! implies (`infer`, `pairs`), the table of codes (`frames`) and the Rust names of
//! methods (`methods`). `unused` explains rules of the options that apply to nothing.
//!
//! Invariant: the model depends on the files, on which of them are to be
//! generated, and on the options, but not on how the descriptors were made or on
//! their order. Every fault of a run is reported, not only the first.

mod annotations;
mod codes;
mod cycles;
mod decls;
mod defaults;
mod docs;
mod extensions;
mod externs;
mod facts;
mod features;
mod fields;
mod files;
mod frames;
mod header;
mod infer;
mod locations;
mod messages;
mod methods;
mod names;
mod operations;
mod options;
mod pairs;
mod report;
mod services;
mod unused;
mod wire;

use protobuf::descriptor::FileDescriptorSet;
use riak_codegen::model::{File, FileId, Schema};

pub use codes::CodeTable;
pub use options::Options;
pub(crate) use options::is_rust_path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use decls::Decls;
use files::Files;
use frames::{Claim, CodeBook, Role};
use names::Names;
use report::Report;

/// Resolves a set of descriptors, which contains the files to generate and
/// everything that they import, into the schema to emit.
///
/// The second value contains notices: what was inferred, and what was left out.
///
/// # Errors
///
/// Every fault in the options of the schema, in its codes and in `options`.
pub fn resolve(
    set: &FileDescriptorSet,
    to_generate: &[String],
    options: &Options,
) -> Result<(Schema, Vec<Diagnostic>), Diagnostics> {
    let mut report = Report::default();
    let files = Files::new(set, to_generate, options, &mut report);
    let decls = Decls::new(files, &mut report);
    externs::check(&decls, options, &mut report);
    let mut names = Names::new(&decls, options);
    let (mut messages, enums) = messages::resolve(&decls, &names, options, &mut report);
    extensions::apply(&decls, &mut messages);
    let mut schema = Schema { files: model_files(&decls, &names), messages, enums, frames: Vec::new() };
    facts::apply(&decls, &mut schema, &mut report);
    let mut book = CodeBook::default();
    claim_declared(&decls, &schema, &mut book, &mut report);
    services::ServiceResolver::new(&decls, &names, &mut schema, &mut book, &mut report).resolve();
    for table in tables(&decls, options, &book) {
        infer::Inference::new(&table, &mut names, &mut schema, &mut book, &mut report).apply();
    }
    methods::apply(&mut schema, &mut names);
    book.finish(&mut schema);
    let in_order = to_generate.iter().map(String::as_str);
    let all = decls.files.iter().map(|file| file.proto.name());
    let notices = report.finish(in_order.chain(all))?;
    Ok((schema, notices))
}

fn model_files(decls: &Decls<'_>, names: &Names) -> Vec<File> {
    let files = decls.files.iter().zip(&names.files);
    files
        .map(|(decl, module)| File {
            name: decl.proto.name().to_owned(),
            module: module.clone(),
            docs: decl.locations.file_docs(),
            emit: decl.emit,
            messages: messages::emitted_messages(&decl.messages, names),
            enums: messages::emitted_enums(&decl.enums, names),
            services: Vec::new(),
        })
        .collect()
}

/// Records the codes that messages declare with `(riak.code)`.
fn claim_declared(decls: &Decls<'_>, schema: &Schema, book: &mut CodeBook, report: &mut Report) {
    for (message, number, place) in messages::declared_codes(decls) {
        let full_name = &schema.messages[message.0].full_name;
        match frames::code(number, full_name) {
            Ok(code) => {
                let claim = Claim {
                    code,
                    message,
                    role: Role::Unknown,
                    raw: false,
                    emit: decls.file_of(message).emit,
                    place,
                };
                book.claim(&claim, &schema.messages, report);
            }
            Err(wrong) => report.fault(&place, wrong),
        }
    }
}

/// Returns the code tables to apply besides the options: the table in `options` if
/// there is one, or else, for each file without a message that has a code, the
/// table in its comments.
fn tables(decls: &Decls<'_>, options: &Options, book: &CodeBook) -> Vec<CodeTable> {
    if let Some(table) = &options.codes {
        return vec![table.clone()];
    }
    let without_codes = |file: &FileId| {
        let mut messages = decls.files[file.0].messages.iter();
        messages.all(|id| book.code_of(*id).is_none())
    };
    externs::emitted(decls)
        .filter(without_codes)
        .map(|file| header::code_table(decls, &decls.files[file.0]))
        .filter(|table| !table.rows.is_empty())
        .collect()
}
