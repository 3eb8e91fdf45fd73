//! Nested messages: length-delimited, or as groups.
//!
//! Invariant: unless decoding fails, every message that is entered is also left: the
//! writer's length prefixes are closed, and the context's depth is restored.

use super::missing_fields::ELEMENT;
use super::reader::append_default;
use super::{Context, END_GROUP, GROUP, Reader, Writer, growth};
use crate::error::DecodeError;
use crate::message::{Decode, Message};

/// The marker type of nested messages, used for the values of a map.
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
#[expect(clippy::inline_always, reason = "most such fields are empty, and an empty one then needs no call")]
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

/// Merges `body` into a message one level deeper: that of the field with this tag, or
/// an [`ELEMENT`]. `seen_before` says that the field has been read before.
#[inline]
pub(super) fn merge<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    seen_before: bool,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    if !ctx.enter(seen_before) {
        return merge_slow(tag, message, seen_before, body, ctx);
    }
    message.merge(body, ctx)?;
    ctx.leave();
    Ok(())
}

/// Charges what a new message allocates even if it is empty.
#[inline]
pub(super) fn charge_behind<'a, M: Message>(
    body: &Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    if M::BEHIND > 0 { ctx.charge(M::BEHIND, body) } else { Ok(()) }
}

/// Returns the [`Message::BEHIND`] of the type of a member, for the message that always
/// has it.
#[must_use]
pub const fn behind<M, N: Message>(_member: fn(&M) -> &N) -> usize {
    N::BEHIND
}

/// Merges `body` into a message that may have been absent so far.
#[inline]
fn merge_optional<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut Option<M>,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let seen_before = message.is_some();
    if !seen_before {
        charge_behind::<M>(&body, ctx)?;
    }
    merge(tag, message.get_or_insert_with(M::default), seen_before, body, ctx)
}

/// Merges `body` into a new message, which replaces the current member of a oneof.
///
/// A function of its own, since without optimisation each place that creates a message has
/// its own room on the stack: a oneof of two hundred messages would need a megabyte for each
/// level of nesting.
#[inline]
fn replace_member<'a, M: Decode<'a>, O>(
    tag: u32,
    oneof: &mut Option<O>,
    member: impl FnOnce(M) -> O,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    charge_behind::<M>(&body, ctx)?;
    let mut message = M::default();
    merge(tag, &mut message, false, body, ctx)?;
    *oneof = Some(member(message));
    Ok(())
}

/// The slow path of [`merge`]: at the deepest level allowed, or while missing fields
/// are recorded.
#[cold]
#[inline(never)]
fn merge_slow<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    seen_before: bool,
    body: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    ctx.enter_recorded(tag, seen_before, &body)?;
    message.merge(body, ctx)?;
    ctx.leave_recorded()
}

/// Reads a message field and merges it into `message`. `seen_before` says that the
/// field has been read before.
///
/// # Errors
///
/// If the field is malformed, lacks a required field or nests too deep.
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
pub fn read_message<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    seen_before: bool,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    merge(tag, message, seen_before, body, ctx)
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

/// Reads a message field into a message that was created for it, such as the value of a
/// map.
///
/// # Errors
///
/// As for [`read_message`]; also if the message takes too much memory for the size of
/// the input.
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
pub(super) fn read_new_message<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    charge_behind::<M>(&body, ctx)?;
    merge(tag, message, false, body, ctx)
}

/// Reads a message field that is not the current member of its oneof, and replaces that
/// member. `member` is the variant of the oneof's enum.
///
/// # Errors
///
/// As for [`read_message`]; also if the message takes too much memory for the size of
/// the input.
#[expect(clippy::inline_always, reason = "the reader stays in registers")]
#[inline(always)]
pub fn read_member_message<'a, M: Decode<'a>, O>(
    tag: u32,
    oneof: &mut Option<O>,
    member: impl FnOnce(M) -> O,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.nested(ctx)?;
    replace_member(tag, oneof, member, body, ctx)
}

/// In input shorter than this, elements are counted before they are read.
const MAX_COUNTED: usize = 256;

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

/// Reads a run of messages, and returns the reader positioned after it.
fn read_run<'a, M: Decode<'a>>(
    tag: u32,
    messages: &mut Vec<M>,
    mut input: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<Reader<'a>, DecodeError> {
    let before = input.remaining();
    let old_len = messages.len();
    let short = before < MAX_COUNTED;
    if short {
        // Counting a short run is cheap, and avoids excess capacity. It is not needed
        // if the run is as long as the previous one. An element takes at least two
        // bytes.
        let count = match ctx.predicted_run_len(tag) {
            Some(count) if count <= before / 2 => count,
            _ => input.count_delimited(tag),
        };
        growth::reserve_affordable(messages, count, ctx);
    }
    let mut reserved = short;
    // Enter once for all elements: otherwise each would wait for the depth that the
    // previous one stored.
    if !ctx.enter(false) {
        return read_run_slow(tag, messages, input, ctx);
    }
    loop {
        let body = input.nested(ctx)?;
        growth::reserve_one(messages, &body, ctx)?;
        charge_behind::<M>(&body, ctx)?;
        ctx.begin_element();
        append_default(messages).merge(body, ctx)?;
        if !input.take_tag(tag) {
            break;
        }
        if !reserved {
            reserved = true;
            reserve_others(messages, before, &input, ctx);
        }
    }
    ctx.leave();
    if short {
        ctx.record_run_len(tag, messages.len() - old_len);
    }
    Ok(input)
}

/// The slow path of [`read_run`]: at the deepest level allowed, or while missing fields are
/// recorded. Capacity for a short run has been reserved.
#[cold]
#[inline(never)]
fn read_run_slow<'a, M: Decode<'a>>(
    tag: u32,
    messages: &mut Vec<M>,
    mut input: Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<Reader<'a>, DecodeError> {
    let before = input.remaining();
    let short = before < MAX_COUNTED;
    let mut count = 0;
    loop {
        let body = input.nested(ctx)?;
        growth::reserve_one(messages, &body, ctx)?;
        charge_behind::<M>(&body, ctx)?;
        merge_slow(ELEMENT, append_default(messages), false, body, ctx)?;
        count += 1;
        if !input.take_tag(tag) {
            break;
        }
        if count == 1 && !short {
            reserve_others(messages, before, &input, ctx);
        }
    }
    if short {
        ctx.record_run_len(tag, count);
    }
    Ok(input)
}

/// Reserves capacity for the elements of a long run after the first one, which began when
/// `before` bytes were left.
#[inline]
fn reserve_others<M>(messages: &mut Vec<M>, before: usize, input: &Reader<'_>, ctx: &mut Context<'_>) {
    let first = (before - input.remaining()).max(size_of::<M>() / 8);
    growth::reserve_run(messages, first, input.remaining(), ctx);
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

/// Reads a group and merges it into `message`. `seen_before` says that the field has been
/// read before.
///
/// # Errors
///
/// As for [`read_message`].
#[inline]
pub fn read_group<'a, M: Decode<'a>>(
    tag: u32,
    message: &mut M,
    seen_before: bool,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.group(tag, ctx)?;
    merge(tag, message, seen_before, body, ctx)
}

/// Reads a group that is not the current member of its oneof, and replaces that member.
///
/// # Errors
///
/// As for [`read_member_message`].
#[inline]
pub fn read_member_group<'a, M: Decode<'a>, O>(
    tag: u32,
    oneof: &mut Option<O>,
    member: impl FnOnce(M) -> O,
    input: &mut Reader<'a>,
    ctx: &mut Context<'a>,
) -> Result<(), DecodeError> {
    let body = input.group(tag, ctx)?;
    replace_member(tag, oneof, member, body, ctx)
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
    growth::reserve_one(messages, input, ctx)?;
    charge_behind::<M>(input, ctx)?;
    let body = input.group(tag, ctx)?;
    merge(ELEMENT, append_default(messages), false, body, ctx)
}
