//! The extensions of a message whose values have to be UTF-8.
//!
//! An extension has no struct field: its value stays among the unknown fields.
//! Invariant: a value that is not UTF-8 is rejected in an extension wherever it is
//! rejected in a field of the message.

use protobuf::descriptor::field_descriptor_proto::Type;
use protobuf::descriptor::{FieldDescriptorProto, FileDescriptorProto};
use riak_codegen::model::{Message, MessageId};

use super::decls::{Decls, Symbol};
use super::features::{self, Features};

/// Records for each message which of its extensions have to be UTF-8.
pub(crate) fn apply(decls: &Decls<'_>, messages: &mut [Message]) {
    // Faults in a file's syntax have already been reported.
    let files = decls.files.iter().filter_map(|file| Some((&file.proto.extension, of_file(file.proto)?)));
    let inside = decls.messages.iter().map(|message| (&message.proto.extension, message.features));
    for (extensions, features) in files.chain(inside) {
        for extension in extensions.iter().filter(|extension| is_checked(extension, features)) {
            if let Some(Symbol::Message(MessageId(extended))) = decls.symbol(extension.extendee()) {
                let number = extension.number().unsigned_abs();
                messages[extended].text_extensions.push(number);
            }
        }
    }
    for message in messages {
        message.text_extensions.sort_unstable();
        message.text_extensions.dedup();
    }
}

fn of_file(file: &FileDescriptorProto) -> Option<Features> {
    Features::of_file(file).ok()
}

fn is_checked(extension: &FieldDescriptorProto, around: Features) -> bool {
    let options = extension.options.special_fields.unknown_fields();
    extension.type_() == Type::TYPE_STRING && around.with(options, features::number::FIELD).utf8
}
