//! Messages inside messages: length-delimited, or as groups.
//!
//! Invariant: the lengths that the `_len` functions push to [`Sizes`] are taken
//! by the `put_` functions in the same order; groups have none.

use super::context::ELEMENT;
use super::{Context, END_GROUP, GROUP, Reader, Sizes, Writer, delimited_len, growth, tag_len};
use crate::error::DecodeError;
use crate::message::{Decode, Message};

/// The kind of a nested message, where a kind is named: as a map's value.
#[derive(Debug)]
pub enum Nested {}

/// Length of a message's body; its own length is kept for the second pass.
#[inline]
pub(super) fn body_len<M: Message>(message: &M, sizes: &mut Sizes) -> usize {
    let slot = sizes.reserve();
    let len = message.encoded_len(sizes);
    sizes.fill(slot, len);
    delimited_len(len)
}

/// Writes a message's length and body.
#[inline]
pub(super) fn put_body<M: Message>(message: &M, out: &mut Writer<'_>, sizes: &mut Sizes) {
    out.varint(sizes.take() as u64);
    message.encode(out, sizes);
}

/// Length of a message field.
#[inline]
pub fn message_len<M: Message>(tag: u32, message: &M, sizes: &mut Sizes) -> usize {
    tag_len(tag) + body_len(message, sizes)
}

/// Writes a message field.
#[inline]
pub fn put_message<M: Message>(tag: u32, message: &M, out: &mut Writer<'_>, sizes: &mut Sizes) {
    out.tag(tag);
    put_body(message, out, sizes);
}

/// Length of a message field that may be absent.
#[inline]
pub fn optional_message_len<M: Message>(tag: u32, message: &Option<M>, sizes: &mut Sizes) -> usize {
    message.as_ref().map_or(0, |message| message_len(tag, message, sizes))
}

/// Writes a message field that may be absent.
#[inline]
pub fn put_optional_message<M: Message>(
    tag: u32,
    message: &Option<M>,
    out: &mut Writer<'_>,
    sizes: &mut Sizes,
) {
    if let Some(message) = message {
        put_message(tag, message, out, sizes);
    }
}

/// Length of a repeated message field.
#[inline]
pub fn repeated_message_len<M: Message>(tag: u32, messages: &[M], sizes: &mut Sizes) -> usize {
    let mut len = messages.len() * tag_len(tag);
    for message in messages {
        len += body_len(message, sizes);
    }
    len
}

/// Writes a repeated message field.
#[inline]
pub fn put_repeated_message<M: Message>(tag: u32, messages: &[M], out: &mut Writer<'_>, sizes: &mut Sizes) {
    for message in messages {
        put_message(tag, message, out, sizes);
    }
}

/// Merges fields into a message that is one level deeper: the field with this
/// tag, or an [`ELEMENT`]. If it comes `again`, it has been read before.
#[inline]
pub(super) fn merge<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    again: bool,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    if !ctx.enter(again) {
        return merge_recorded(tag, message, again, body, ctx);
    }
    message.merge(body, ctx)?;
    ctx.leave();
    Ok(())
}

/// The same, away from the hot path: at the deepest level that is allowed, or
/// where pieces are recorded.
#[cold]
#[inline(never)]
fn merge_recorded<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    again: bool,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    ctx.enter_recorded(tag, again, &body)?;
    message.merge(body, ctx)?;
    ctx.leave_recorded()
}

/// Reads a message field into `message`, whose fields it merges with. `again`
/// says that the field has been read before.
///
/// # Errors
///
/// If the field is malformed, lacks a required field or nests too deep.
#[inline]
pub fn read_message<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    again: bool,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    merge(tag, message, again, body, ctx)
}

/// Reads a message field that may have been absent so far.
///
/// # Errors
///
/// As for [`read_message`].
#[inline]
pub fn read_optional_message<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut Option<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let again = message.is_some();
    if !again && M::BEHIND > 0 {
        ctx.charge(M::BEHIND, input)?;
    }
    read_message(tag, message.get_or_insert_with(M::default), again, input, ctx)
}

/// Below this many bytes, elements are counted before they are read.
const COUNT: usize = 256;

/// Reads a message and all that follow it with the same tag.
///
/// # Errors
///
/// As for [`read_message`]; also if the elements take too much memory for the
/// size of the input.
#[inline]
pub fn read_repeated_message<'a, M: Decode<'a>>(
    tag: u32,
    messages: &mut Vec<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let before = input.remaining();
    let short = before < COUNT;
    if short {
        // Short enough to be counted, and then nothing is wasted.
        growth::expect(messages, input.count_delimited(tag), ctx);
    }
    read_element(messages, input, ctx)?;
    if input.take_tag(tag) {
        if !short {
            let first = (before - input.remaining()).max(size_of::<M>() / 8);
            growth::guess(messages, first, input.remaining(), ctx);
        }
        loop {
            read_element(messages, input, ctx)?;
            if !input.take_tag(tag) {
                break;
            }
        }
    }
    Ok(())
}

#[inline]
fn read_element<'a, M: Decode<'a>>(
    messages: &mut Vec<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    growth::room(messages, &body, ctx)?;
    // Merged in place: a message is large to move.
    let index = messages.len();
    messages.push(M::default());
    merge(ELEMENT, &mut messages[index], false, body, ctx)
}

/// Length of a group.
#[inline]
pub fn group_len<M: Message>(tag: u32, message: &M, sizes: &mut Sizes) -> usize {
    2 * tag_len(tag) + message.encoded_len(sizes)
}

/// Writes a group.
#[inline]
pub fn put_group<M: Message>(tag: u32, message: &M, out: &mut Writer<'_>, sizes: &mut Sizes) {
    out.tag(tag);
    message.encode(out, sizes);
    out.tag(tag ^ GROUP ^ END_GROUP);
}

/// Length of a group that may be absent.
#[inline]
pub fn optional_group_len<M: Message>(tag: u32, message: &Option<M>, sizes: &mut Sizes) -> usize {
    message.as_ref().map_or(0, |message| group_len(tag, message, sizes))
}

/// Writes a group that may be absent.
#[inline]
pub fn put_optional_group<M: Message>(
    tag: u32,
    message: &Option<M>,
    out: &mut Writer<'_>,
    sizes: &mut Sizes,
) {
    if let Some(message) = message {
        put_group(tag, message, out, sizes);
    }
}

/// Length of a repeated group.
#[inline]
pub fn repeated_group_len<M: Message>(tag: u32, messages: &[M], sizes: &mut Sizes) -> usize {
    messages.iter().map(|message| group_len(tag, message, sizes)).sum()
}

/// Writes a repeated group.
#[inline]
pub fn put_repeated_group<M: Message>(tag: u32, messages: &[M], out: &mut Writer<'_>, sizes: &mut Sizes) {
    for message in messages {
        put_group(tag, message, out, sizes);
    }
}

/// Reads a group into `message`, whose fields it merges with. `again` says that
/// the field has been read before.
///
/// # Errors
///
/// As for [`read_message`].
#[inline]
pub fn read_group<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    again: bool,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.group(tag, ctx)?;
    merge(tag, message, again, body, ctx)
}

/// Reads a group that may have been absent so far.
///
/// # Errors
///
/// As for [`read_message`].
#[inline]
pub fn read_optional_group<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut Option<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let again = message.is_some();
    if !again && M::BEHIND > 0 {
        ctx.charge(M::BEHIND, input)?;
    }
    read_group(tag, message.get_or_insert_with(M::default), again, input, ctx)
}

/// Reads one group of a repeated field.
///
/// # Errors
///
/// As for [`read_repeated_message`].
#[inline]
pub fn read_repeated_group<'a, M: Decode<'a>>(
    tag: u32,
    messages: &mut Vec<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    growth::room(messages, input, ctx)?;
    let body = input.group(tag, ctx)?;
    let index = messages.len();
    messages.push(M::default());
    merge(ELEMENT, &mut messages[index], false, body, ctx)
}
