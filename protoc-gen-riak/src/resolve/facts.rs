//! The kinds of fields, which say what fields mean beyond their types. They are
//! given by path or at the field.
//!
//! Invariant: a kind fits the type of its field, and a field has at most one kind.

use riak_codegen::model::{Field, Kind, MessageId, Presence, Schema, Type};
use riak_codegen::suggest::did_you_mean;

use super::annotations::{self, kind_name, number};
use super::decls::Decls;
use super::frames::is_singular;
use super::locations::{joined, part, step};
use super::messages::step_of;
use super::report::{Place, Report};

/// Checks the kinds that are given at fields, and applies those that files give by
/// path.
pub(crate) fn apply(decls: &Decls<'_>, schema: &mut Schema, report: &mut Report) {
    check_declared(decls, schema, report);
    for file in &decls.files {
        let facts = annotations::read_facts(file.proto.options.special_fields.unknown_fields());
        for (index, fact) in facts.iter().enumerate() {
            let option = [part::FILE_OPTIONS, step_of(number::FIELD), step(index)];
            let place = file.locations.place(&option);
            let (Some(path), Some(kind)) = (&fact.path, fact.kind) else {
                report.fault(&place, "a riak.field option needs a path and a kind");
                continue;
            };
            match (find(decls, schema, file.proto.package(), path), kind) {
                (Ok((message, field)), Ok(kind)) => set(schema, message, field, kind, &place, report),
                (Ok(_), Err(unknown)) => report.fault(&place, format!("the kind of {path}: {unknown}")),
                (Err(wrong), _) => report.fault(&place, wrong),
            }
        }
    }
}

/// Finds the field that a path names.
fn find(decls: &Decls<'_>, schema: &Schema, scope: &str, path: &str) -> Result<(MessageId, usize), String> {
    let Some((message, field)) = path.rsplit_once('.').filter(|(message, _)| !message.is_empty()) else {
        return Err(format!("\"{path}\" names no field: write Message.field"));
    };
    let id = decls.message_named(scope, message)?;
    let message = &schema.messages[id.0];
    let found = message.fields.iter().position(|candidate| candidate.name == field);
    let Some(index) = found else {
        let known = message.fields.iter().map(|field| field.name.as_str());
        let hint = did_you_mean(field, known);
        return Err(format!("{} has no field \"{field}\"{hint}", message.full_name));
    };
    Ok((id, index))
}

fn set(
    schema: &mut Schema,
    message: MessageId,
    field: usize,
    kind: Kind,
    place: &Place,
    report: &mut Report,
) {
    let message = &mut schema.messages[message.0];
    let full_name = format!("{}.{}", message.full_name, message.fields[field].name);
    let field = &mut message.fields[field];
    if let Some(wanted) = unmet_requirement(kind, field) {
        report.fault(place, mismatch_text(&full_name, kind, wanted));
    } else if field.kind != Kind::Plain && field.kind != kind {
        let text =
            format!("{full_name} is {} and cannot be {} as well", kind_name(field.kind), kind_name(kind));
        report.fault(place, text);
    } else {
        field.kind = kind;
    }
}

fn check_declared(decls: &Decls<'_>, schema: &mut Schema, report: &mut Report) {
    for (decl, message) in decls.messages.iter().zip(&mut schema.messages) {
        for field in &mut message.fields {
            let Some(wanted) = unmet_requirement(field.kind, field) else {
                continue;
            };
            let declared = decl.proto.field.iter();
            let index = declared.take_while(|proto| proto.name() != field.name).count();
            let option = [part::MESSAGE_FIELD, step(index), part::FIELD_OPTIONS, step_of(number::KIND)];
            let locations = &decls.files[decl.file.0].locations;
            let full_name = format!("{}.{}", decl.full_name, field.name);
            let text = mismatch_text(&full_name, field.kind, wanted);
            report.fault(&locations.place(&joined(&decl.path, &option)), text);
            field.kind = Kind::Plain;
        }
    }
}

fn mismatch_text(full_name: &str, kind: Kind, wanted: &str) -> String {
    format!("{full_name} cannot be {}: that is {wanted}", kind_name(kind))
}

/// Returns what a kind requires of a field, if the field does not meet it.
fn unmet_requirement(kind: Kind, field: &Field) -> Option<&'static str> {
    let is_bytes = field.ty == Type::Bytes;
    let is_text = is_bytes || field.ty == Type::String;
    let is_number = matches!(
        field.ty,
        Type::Uint32 | Type::Uint64 | Type::Int32 | Type::Int64 | Type::Fixed32 | Type::Fixed64
    );
    let is_map = matches!(field.presence, Presence::Map { .. });
    let (fits, wanted) = match kind {
        Kind::Quorum | Kind::NodeConfirms => {
            (field.ty == Type::Uint32 && is_singular(field.presence), "a singular uint32")
        }
        Kind::Millis | Kind::UnixSeconds => (is_number && !is_map, "an integer field"),
        Kind::VClock | Kind::Context | Kind::CoverContext => (is_bytes && !is_map, "a bytes field"),
        Kind::Key | Kind::Text | Kind::Continuation | Kind::Secret | Kind::Bucket | Kind::BucketType => {
            (is_text && !is_map, "a bytes or string field")
        }
        _ => (true, ""),
    };
    (!fits).then_some(wanted)
}
