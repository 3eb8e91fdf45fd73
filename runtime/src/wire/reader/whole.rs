//! Decodes a whole message in the place where it is returned, alone or as a part of a
//! larger value.
//!
//! A message that is merged in a local variable and then returned is moved while its
//! stores are still on their way, and the move waits for them (measured: a third of the
//! time of a message whose fields are mostly absent). The compiler does not build a
//! variable that is borrowed in the place of the result. But if another function writes all
//! of the result, the place is passed on to that function.
//!
//! Invariant: [`decode_into`] initialises the place that it is given, unless it panics.

use std::mem::MaybeUninit;

use super::super::Context;
use crate::error::DecodeError;
use crate::message::Decode;
use crate::{Blob, DecodeLimits};

/// Decodes `bytes`, which lie within `source` if there is one.
///
/// # Errors
///
/// If the bytes are not a valid message of this type, or exceed the limits.
#[inline]
pub(crate) fn decode<'a, M: Decode<'a>>(
    bytes: &'a [u8],
    source: Option<&'a Blob>,
    limits: &DecodeLimits,
) -> Result<M, DecodeError> {
    decode_part(bytes, source, limits, |message| message, |message| message)
}

/// Decodes `bytes` into the message that is a part of a larger value. `whole` makes the
/// value from an empty message, and `part` finds the message in it.
///
/// # Errors
///
/// As for [`decode`].
// Inlined, it would move the result like any other value.
#[inline(never)]
pub(crate) fn decode_part<'a, W, M: Decode<'a>>(
    bytes: &'a [u8],
    source: Option<&'a Blob>,
    limits: &DecodeLimits,
    whole: impl FnOnce(M) -> W,
    part: impl Fn(&mut W) -> &mut M,
) -> Result<W, DecodeError> {
    let mut place = MaybeUninit::uninit();
    decode_into(&mut place, bytes, source, limits, whole, part);
    // SAFETY: `decode_into` has initialised the place, by this module's invariant.
    unsafe { place.assume_init() }
}

/// Initialises `place` with what `bytes` decode to, or leaves nothing in it if this
/// panics.
#[inline(never)]
fn decode_into<'a, W, M: Decode<'a>>(
    place: &mut MaybeUninit<Result<W, DecodeError>>,
    bytes: &'a [u8],
    source: Option<&'a Blob>,
    limits: &DecodeLimits,
    whole: impl FnOnce(M) -> W,
    part: impl Fn(&mut W) -> &mut M,
) {
    let decoded = Unfinished(place.write(Ok(whole(M::default()))));
    let (mut ctx, input) = Context::new(bytes, source, limits);
    while let Ok(whole) = &mut *decoded.0 {
        let message = part(whole);
        let merged = message.merge(input.clone(), &mut ctx);
        if merged.is_ok() && ctx.is_first_pass() {
            ctx.finish();
            break;
        }
        match ctx.resolve(merged, limits) {
            Ok(true) => break,
            Ok(false) => *message = M::default(),
            Err(error) => *decoded.0 = Err(error.of(M::NAME)),
        }
    }
    std::mem::forget(decoded);
}

/// What is in the place while it is being merged. Dropped only if that panics.
struct Unfinished<'p, W>(&'p mut Result<W, DecodeError>);

impl<W> Drop for Unfinished<'_, W> {
    fn drop(&mut self) {
        // SAFETY: the place was initialised. This runs only while a panic leaves
        // `decode_into`, and then `decode_part` too, neither of which uses the place again.
        unsafe { std::ptr::drop_in_place(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::dice::Dice;
    use crate::message::Message;
    use crate::wire::{self, Bytes, Reader, Reads, Uint32, Writer};

    thread_local! {
        /// How many messages there are on this thread.
        static LIVE: Cell<isize> = const { Cell::new(0) };
    }

    fn count(change: isize) {
        LIVE.set(LIVE.get() + change);
    }

    /// A message with a required field, some values on the heap, and a part of itself.
    #[derive(Debug, PartialEq)]
    struct Node {
        id: u32,
        values: Vec<Blob>,
        next: Option<Box<Node>>,
        /// Makes the message larger than what is moved in registers.
        padding: [u64; 20],
    }

    impl Default for Node {
        fn default() -> Self {
            count(1);
            Self { id: 0, values: Vec::new(), next: None, padding: [7; 20] }
        }
    }

    impl Drop for Node {
        fn drop(&mut self) {
            assert_eq!(self.padding, [7; 20], "only a message that was created is dropped");
            count(-1);
        }
    }

    impl Message for Node {
        const NAME: &'static str = "Node";

        fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
            out
        }
    }

    impl<'a> Decode<'a> for Node {
        fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
            let mut missing = ctx.missing(0b1);
            while let Some(tag) = input.tag(ctx)? {
                match tag {
                    0x08 => {
                        self.id = Uint32::read(&mut input, ctx)?;
                        missing = 0;
                    }
                    0x12 => Bytes::read_repeated(tag, &mut self.values, &mut input, ctx)?,
                    0x1a => wire::read_optional_message(tag, &mut self.next, &mut input, ctx)?,
                    _ => wire::read_unknown(tag, &mut wire::Ignore, &mut input, ctx)?,
                }
            }
            if missing != 0 {
                ctx.lacks(0, Self::NAME, &["id"], missing)?;
            }
            Ok(())
        }
    }

    /// Does the same in a variable that is then returned.
    fn plain<'a, M: Decode<'a>>(bytes: &'a [u8], source: Option<&'a Blob>) -> Result<M, DecodeError> {
        let (mut ctx, input) = Context::new(bytes, source, &DecodeLimits::DEFAULT);
        loop {
            let mut message = M::default();
            let merged = message.merge(input.clone(), &mut ctx);
            if merged.is_ok() && ctx.is_first_pass() {
                return Ok(message);
            }
            match ctx.resolve(merged, &DecodeLimits::DEFAULT) {
                Ok(true) => return Ok(message),
                Ok(false) => {}
                Err(error) => return Err(error.of(M::NAME)),
            }
        }
    }

    /// Writes random fields of a node, some of which are malformed or lack what is
    /// required.
    fn fields(dice: &mut Dice, depth: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..dice.below(5) {
            match dice.below(12) {
                0..4 => bytes.extend([0x08, dice.one_of(&[0, 1, 0x7f])]),
                4..7 => {
                    let value = dice.bytes_of(&[0, 3, 23, 24, 100]);
                    bytes.extend([0x12, value.len().to_le_bytes()[0]]);
                    bytes.extend(value);
                }
                7..11 if depth < 3 => {
                    let next = fields(dice, depth + 1);
                    if let Ok(len @ ..0x80) = u8::try_from(next.len()) {
                        bytes.extend([0x1a, len]);
                        bytes.extend(next);
                    }
                }
                _ => bytes.push(dice.one_of(&[0x00, 0x0a, 0x22, 0x80])),
            }
        }
        bytes
    }

    #[test]
    fn a_message_is_the_same_wherever_it_is_merged_and_none_is_lost_or_dropped_twice() {
        let mut dice = Dice::new(5);
        let (mut whole, mut retried, mut failed) = (0, 0, 0);
        for _ in 0..Dice::times(20_000) {
            let blob = Blob::from(fields(&mut dice, 0));
            let source = (dice.below(2) == 0).then_some(&blob);
            let decoded = decode::<Node>(&blob, source, &DecodeLimits::DEFAULT);
            let expected = plain::<Node>(&blob, source);
            match (&decoded, &expected) {
                (Ok(decoded), Ok(expected)) => {
                    assert_eq!(decoded, expected);
                    whole += 1;
                }
                (Err(decoded), Err(expected)) => {
                    assert_eq!(decoded.to_string(), expected.to_string());
                    let missing =
                        matches!(decoded.kind(), crate::error::DecodeErrorKind::MissingField { .. });
                    *(if missing { &mut retried } else { &mut failed }) += 1;
                }
                _ => panic!("{decoded:?} is not {expected:?}"),
            }
            drop((decoded, expected));
            assert_eq!(LIVE.get(), 0);
        }
        // Each result has come up, also of second passes.
        assert!(whole > 0 && retried > 0 && failed > 0, "{whole} {retried} {failed}");
    }

    /// A message that panics when it is merged.
    #[derive(Debug, Default)]
    struct Unready(Node);

    impl Message for Unready {
        const NAME: &'static str = "Unready";

        fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
            out
        }
    }

    impl<'a> Decode<'a> for Unready {
        fn merge(&mut self, _: Reader<'a>, _: &mut Context<'a>) -> Result<(), DecodeError> {
            self.0.values.push(Blob::new());
            panic!("not ready");
        }
    }

    #[test]
    fn a_panic_drops_the_message_once() {
        let decoded =
            std::panic::catch_unwind(|| decode::<Unready>(&[], None, &DecodeLimits::DEFAULT).is_ok());
        assert!(decoded.is_err());
        assert_eq!(LIVE.get(), 0);
    }

    /// Nodes in a repeated field.
    #[derive(Debug, Default)]
    struct Nodes(Vec<Node>);

    impl Message for Nodes {
        const NAME: &'static str = "Nodes";

        fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
            out
        }
    }

    impl<'a> Decode<'a> for Nodes {
        fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
            while let Some(tag) = input.tag(ctx)? {
                match tag {
                    0x0a => wire::read_repeated_message(tag, &mut self.0, &mut input, ctx)?,
                    _ => wire::read_unknown(tag, &mut wire::Ignore, &mut input, ctx)?,
                }
            }
            Ok(())
        }
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<Node>, DecodeError> {
        decode::<Nodes>(bytes, None, &DecodeLimits::DEFAULT).map(|nodes| nodes.0)
    }

    /// A node whose `next` comes in two parts, the first of which lacks its `id`: what is missing
    /// is recorded in a second pass.
    const SPLIT: [u8; 10] = [0x0a, 8, 0x08, 1, 0x1a, 0, 0x1a, 2, 0x08, 1];

    #[test]
    fn each_element_of_a_run_needs_its_own_required_fields() {
        // The last thing that this one reads is a message that was read before.
        let twice = [0x0a, 8, 0x08, 1, 0x1a, 2, 0x08, 1, 0x1a, 0];
        assert_eq!(decoded(&twice).unwrap().len(), 1);
        assert_eq!(decoded(&SPLIT).unwrap().len(), 1);
        for nodes in [twice, SPLIT] {
            assert!(decoded(&[&nodes[..], &[0x0a, 0]].concat()).is_err());
            assert!(decoded(&[&nodes[..], &[0x0a, 0, 0x0a, 2, 0x08, 1]].concat()).is_err());
        }
    }

    /// The capacity of a short run is exact, and that of a long one an eighth too large at most,
    /// also while missing fields are recorded.
    #[test]
    fn the_second_pass_reserves_as_much_as_the_first() {
        let short = [&[0x0a, 2, 0x08, 1].repeat(20)[..], &SPLIT].concat();
        // Elements that take less than an eighth of their size in memory are not expected.
        let node = [&[0x0a, 44, 0x08, 1, 0x12, 40][..], &[7; 40]].concat();
        let long = [&node.repeat(3_000)[..], &SPLIT].concat();
        for (bytes, most) in [(short, 21), (long, 3_400)] {
            let nodes = decoded(&bytes).unwrap();
            assert!(nodes.capacity() <= most, "{} for {}", nodes.capacity(), nodes.len());
        }
    }
}
