//! Protobuf's wire format: the functions that generated and derived code calls.
//! Programs seldom need it directly, except for [`UnknownFields`].
//!
//! A message is encoded in one forward pass through a [`Writer`], and decoded by
//! merging fields from a [`Reader`] in place. Each protobuf type is a marker type here
//! ([`Uint32`], [`Bytes`], …) that knows how to write and read Rust values as that
//! type: `Uint32::put(0x18, &value, out)` writes field 3.
//!
//! A tag combines the field number and the wire type: `number << 3 | wire_type`.
//!
//! Invariant: `read_x` reads back what `put_x` writes.

mod codec;
mod cold_path;
mod context;
mod cursor;
mod delimited;
mod encode_buffer;
mod enumeration;
mod growth;
mod map;
mod memory;
mod missing_fields;
mod nested;
mod oneof;
mod pointers;
mod reader;
#[cfg(test)]
mod reference;
mod scalar;
mod unknown;
mod writer;

pub use codec::{Reads, Writes};
pub use context::Context;
pub use delimited::{Bytes, Text};
pub(crate) use encode_buffer::{EncodeBuffer, LargeValue, MIN_BORROWED};
pub use enumeration::{Enum, Enumeration, read_closed, read_packed_closed, read_repeated_closed};
pub use map::{Map, put_map, put_message_map, read_map, read_map_closed};
pub use nested::{
    Nested, behind, put_group, put_message, put_optional_group, put_optional_message, put_repeated_group,
    put_repeated_message, read_group, read_member_group, read_member_message, read_message,
    read_optional_group, read_optional_message, read_repeated_group, read_repeated_message,
};
pub use oneof::{Oneof, ReadOneof, has_numbers, put_oneof, read_oneof};
pub use reader::Reader;
pub(crate) use reader::{decode, decode_part};
pub use scalar::{
    Bool, Double, Fixed32, Fixed64, Float, Int32, Int64, Sfixed32, Sfixed64, Sint32, Sint64, Uint32, Uint64,
};
pub use unknown::{Ignore, KeepUnknown, UnknownFields, UnknownFieldsRef, read_unknown, read_unknown_text};
pub use writer::Writer;
pub(crate) use writer::too_long;

/// Wire type of varints.
pub const VARINT: u32 = 0;
/// Wire type of eight-byte values.
pub const FIXED64: u32 = 1;
/// Wire type of values with a length prefix: bytes, text, messages, packed runs.
pub const DELIMITED: u32 = 2;
/// Wire type of a group's start tag.
pub const GROUP: u32 = 3;
/// Wire type of a group's end tag.
pub const END_GROUP: u32 = 4;
/// Wire type of four-byte values.
pub const FIXED32: u32 = 5;

/// Returns how many bytes a tag takes.
#[inline]
#[must_use]
pub const fn tag_len(tag: u32) -> usize {
    crate::varint::len(tag as u64)
}
