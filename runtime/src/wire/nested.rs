//! Messages inside messages: length-delimited, or as groups.
//!
//! Invariant: whatever goes into a message comes back out of it: a writer's
//! length prefixes are closed, a context's depth is as before.

use super::context::ELEMENT;
use super::{Context, END_GROUP, GROUP, Reader, Writer, growth};
use crate::error::DecodeError;
use crate::message::{Decode, Message};

/// The kind of a nested message, where a kind is named: as a map's value.
#[derive(Debug)]
pub enum Nested {}

/// Writes a message field.
#[inline]
pub fn put_message<'w, M: Message>(tag: u32, message: &M, out: Writer<'w>) -> Writer<'w> {
    let (out, mark) = out.open(tag, message.at_least());
    message.encode(out).close(mark)
}

/// Writes a message field that may be absent.
#[inline]
pub fn put_optional_message<'w, M: Message>(tag: u32, message: &Option<M>, out: Writer<'w>) -> Writer<'w> {
    match message {
        Some(message) => put_message(tag, message, out),
        None => out,
    }
}

/// Writes a repeated message field.
#[expect(clippy::inline_always, reason = "most are empty where there are many, and an empty one is no call")]
#[inline(always)]
pub fn put_repeated_message<'w, M: Message>(tag: u32, messages: &[M], out: Writer<'w>) -> Writer<'w> {
    if messages.is_empty() { out } else { put_messages(tag, messages, out) }
}

#[inline]
fn put_messages<'w, M: Message>(tag: u32, messages: &[M], mut out: Writer<'w>) -> Writer<'w> {
    for message in messages {
        out = put_message(tag, message, out);
    }
    out
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

/// The same for a message that may have been absent so far.
#[inline]
fn merge_optional<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut Option<M>,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let again = message.is_some();
    if !again && M::BEHIND > 0 {
        ctx.charge(M::BEHIND, &body)?;
    }
    merge(tag, message.get_or_insert_with(M::default), again, body, ctx)
}

/// [`merge`] away from the hot path: at the deepest level that is allowed, or
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
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
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
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
pub fn read_optional_message<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut Option<M>,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    merge_optional(tag, message, body, ctx)
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
    input.lend(|input| read_run(tag, messages, input, ctx))
}

/// The same, and says how far that went.
fn read_run<'a, M: Decode<'a>>(
    tag: u32,
    messages: &mut Vec<M>,
    mut input: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<Reader<'a>, DecodeError> {
    let before = input.remaining();
    let started = messages.len();
    let short = before < COUNT;
    if short {
        // Short enough to be counted, so that nothing is wasted, if it is not as
        // the one before it. An element takes two bytes at least.
        let count = match ctx.run_like_the_last(tag) {
            Some(count) if count <= before / 2 => count,
            _ => input.count_delimited(tag),
        };
        growth::expect(messages, count, ctx);
    }
    let mut sized = short;
    // Once for all: each would wait for the depth that the one before it left.
    let plain = ctx.enter(false);
    loop {
        let body = input.nested(ctx)?;
        growth::room(messages, &body, ctx)?;
        // Made and merged in place: a message is large to move, and `push` would.
        let index = messages.len();
        messages.resize_with(index + 1, M::default);
        let message = &mut messages[index];
        if plain {
            ctx.begin();
            message.merge(body, ctx)?;
        } else {
            merge_recorded(ELEMENT, message, false, body, ctx)?;
        }
        if !input.take_tag(tag) {
            break;
        }
        if !sized {
            sized = true;
            let first = (before - input.remaining()).max(size_of::<M>() / 8);
            growth::guess(messages, first, input.remaining(), ctx);
        }
    }
    if plain {
        ctx.leave();
    }
    if short {
        ctx.remember_run(tag, messages.len() - started);
    }
    Ok(input)
}

/// Writes a group.
#[inline]
pub fn put_group<'w, M: Message>(tag: u32, message: &M, out: Writer<'w>) -> Writer<'w> {
    message.encode(out.tag(tag)).tag(tag ^ GROUP ^ END_GROUP)
}

/// Writes a group that may be absent.
#[inline]
pub fn put_optional_group<'w, M: Message>(tag: u32, message: &Option<M>, out: Writer<'w>) -> Writer<'w> {
    match message {
        Some(message) => put_group(tag, message, out),
        None => out,
    }
}

/// Writes a repeated group.
#[inline]
pub fn put_repeated_group<'w, M: Message>(tag: u32, messages: &[M], mut out: Writer<'w>) -> Writer<'w> {
    for message in messages {
        out = put_group(tag, message, out);
    }
    out
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
    let body = input.group(tag, ctx)?;
    merge_optional(tag, message, body, ctx)
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
    messages.resize_with(index + 1, M::default);
    merge(ELEMENT, &mut messages[index], false, body, ctx)
}
