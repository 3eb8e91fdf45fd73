//! [`Framed`]: a borrowed message together with the bytes that it borrows from.
//!
//! Invariant: `view` borrows only from the heap bytes of `body`. These bytes do not
//! move when the `Framed` moves, live as long as it does, and are never written.

use std::fmt;
use std::mem::MaybeUninit;

use crate::error::DecodeError;
use crate::message::{Message, Owned, View};
use crate::wire::decode_part;
use crate::{Blob, DecodeLimits};

/// A message in its borrowed form, together with the frame's body that it borrows from.
///
/// Decoding copies nothing, and yet the message can be stored and sent to another task.
/// The cost is one reference count, and the whole body stays allocated.
///
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use riak_runtime::{Blob, Frame, Framed, RiakMessage};
///
/// #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
/// #[riak(borrowed = EntryRef)]
/// struct Entry {
///     #[riak(tag = 1)]
///     key: Blob,
/// }
///
/// #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
/// #[riak(owned = Entry)]
/// struct EntryRef<'a> {
///     #[riak(tag = 1)]
///     key: &'a [u8],
/// }
///
/// let frame = Frame { code: 232, body: Blob::from(b"\x0a\x05alice") };
/// let framed: Framed<Entry> = frame.into_framed()?;
/// let task = std::thread::spawn(move || framed.get().key.len());
/// assert_eq!(task.join().unwrap(), 5);
/// # Ok::<(), riak_runtime::DecodeError>(())
/// ```
pub struct Framed<M: Owned> {
    /// Initialised until the `Framed` is dropped, and dropped before `body`, from which
    /// it borrows. Inside `MaybeUninit`, the compiler assumes nothing about the
    /// references in the view (validity, aliasing) when the `Framed` is moved.
    view: MaybeUninit<M::Ref<'static>>,
    body: Blob,
}

impl<M: Owned> Drop for Framed<M> {
    fn drop(&mut self) {
        // SAFETY: `decode` initialised the view, and nothing uses it after this drop.
        unsafe { self.view.assume_init_drop() };
    }
}

impl<M: Owned> Framed<M> {
    /// Decodes a frame's body without copying its values. (A body of up to 23 bytes is
    /// itself copied once.)
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds
    /// [`DecodeLimits::DEFAULT`].
    pub fn decode(body: Blob) -> Result<Self, DecodeError> {
        Self::decode_within(body, &DecodeLimits::DEFAULT)
    }

    /// Decodes a frame's body as [`Framed::decode`] does, within `limits`.
    ///
    /// # Errors
    ///
    /// If the body is not a valid message of this type, or exceeds the limits.
    pub fn decode_within(body: Blob, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        let body = body.into_heap();
        // SAFETY: the bytes of a heap blob stay at their address, unchanged, until the
        // blob is dropped. `body` is stored beside the view, which is dropped first,
        // and `get` lends the view for no longer than `self` lives, so no reference
        // outlives the bytes.
        let bytes: &'static [u8] = unsafe { std::slice::from_raw_parts(body.as_ptr(), body.len()) };
        let with_body = |view| Self { view: MaybeUninit::new(view), body };
        decode_part(bytes, None, limits, with_body, Self::view_mut)
    }

    /// Returns the view while it is being decoded. Private: what it refers to must not
    /// outlive the body.
    fn view_mut(&mut self) -> &mut M::Ref<'static> {
        // SAFETY: the view is initialised until `self` is dropped.
        unsafe { self.view.assume_init_mut() }
    }

    /// Returns the message in its borrowed form.
    #[must_use]
    pub fn get(&self) -> &M::Ref<'_> {
        // SAFETY: the view is initialised until `self` is dropped.
        M::shorten(unsafe { self.view.assume_init_ref() })
    }

    /// Returns the body that the message borrows from.
    #[must_use]
    pub fn body(&self) -> &Blob {
        &self.body
    }

    /// Returns the message in its owned form, copying what is borrowed.
    #[must_use]
    pub fn owned(&self) -> M
    where
        for<'a> M::Ref<'a>: View<Owned = M>,
    {
        self.get().owned()
    }
}

impl<M: Owned> fmt::Debug for Framed<M>
where
    for<'a> M::Ref<'a>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<M: Owned> Framed<M> {
    /// Returns the message's protobuf name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        <M as Message>::NAME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::message::Decode;
    use crate::wire::{Bytes, Context, Reader, Reads, Writer, Writes};

    /// All values of field 1.
    #[derive(Debug, Default, PartialEq)]
    struct Values(Vec<Blob>);

    /// The borrowed form, whose `Drop` checks the bytes that it borrows.
    #[derive(Debug, Default, PartialEq)]
    struct ValuesRef<'a>(Vec<&'a [u8]>);

    impl Drop for ValuesRef<'_> {
        fn drop(&mut self) {
            // The borrowed bytes are still intact.
            assert!(
                self.0.iter().all(|value| value.iter().all(|byte| usize::from(*byte) == value.len() % 251))
            );
        }
    }

    macro_rules! message {
        ($values:ty) => {
            impl Message for $values {
                const NAME: &'static str = "Values";

                fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
                    Bytes::put_repeated(0x0a, &self.0, out)
                }
            }
        };
    }

    macro_rules! decode {
        ($life:lifetime, $values:ty) => {
            impl<$life> Decode<$life> for $values {
                fn merge(
                    &mut self,
                    mut input: Reader<$life>,
                    ctx: &mut Context<$life>,
                ) -> Result<(), DecodeError> {
                    while let Some(tag) = input.tag(ctx)? {
                        assert_eq!(tag, 0x0a);
                        self.0.push(Bytes::read(&mut input, ctx)?);
                    }
                    Ok(())
                }
            }
        };
    }

    message!(Values);
    message!(ValuesRef<'_>);
    decode!('a, Values);
    decode!('a, ValuesRef<'a>);

    impl Owned for Values {
        type Ref<'a> = ValuesRef<'a>;

        fn shorten<'short, 'long: 'short>(view: &'short ValuesRef<'long>) -> &'short ValuesRef<'short> {
            view
        }
    }

    impl View for ValuesRef<'_> {
        type Owned = Values;

        fn owned(&self) -> Values {
            Values(self.0.iter().copied().map(Blob::from).collect())
        }
    }

    /// Returns values in which every byte is the value's length (modulo 251).
    fn values(dice: &mut Dice) -> Values {
        let count = dice.below(4);
        let lengths = (0..count).map(|_| dice.one_of(&[0, 1, 3, 22, 40, 600, 5000]));
        Values(lengths.map(|len| Blob::from(vec![u8::try_from(len % 251).unwrap(); len])).collect())
    }

    #[test]
    fn framed_messages_are_the_owned_ones_wherever_they_are_moved() {
        let mut dice = Dice::new(1);
        let mut kept: Vec<(Framed<Values>, Values)> = Vec::new();
        for _ in 0..Dice::times(5_000) {
            let expected = values(&mut dice);
            let bytes = expected.encode_to_vec();
            // Bodies of all kinds: inline, in a heap block of their own, and slices of
            // a shared block.
            let body = match dice.below(3) {
                0 => Blob::from(bytes.as_slice()),
                1 => Blob::from(bytes.clone()),
                _ => Blob::from([&[9; 4][..], &bytes, &[9; 4]].concat()).slice(4..4 + bytes.len()),
            };
            let framed = Framed::<Values>::decode(body.clone()).unwrap();
            drop(body);
            assert_eq!(framed.body(), &bytes);
            // The vector moves its elements when it grows.
            kept.push((framed, expected));
            let (framed, expected) = &kept[dice.below(kept.len())];
            assert_eq!(framed.get().owned(), *expected);
            assert_eq!((framed.owned(), framed.name()), (Values::decode(framed.body()).unwrap(), "Values"));
            if kept.len() > 40 {
                kept.swap_remove(dice.below(40));
            }
        }
        let check = || kept.into_iter().for_each(|(framed, expected)| assert_eq!(framed.owned(), expected));
        std::thread::scope(|scope| drop(scope.spawn(check)));
    }

    /// A message whose merging fails or panics halfway.
    #[derive(Debug, Default, PartialEq)]
    struct Unready<V>(V);

    impl<V: Message> Message for Unready<V> {
        const NAME: &'static str = "Unready";

        fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
            out
        }
    }

    impl<'a, V: Decode<'a>> Decode<'a> for Unready<V> {
        fn merge(&mut self, input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
            self.0.merge(input, ctx)?;
            panic!("not ready");
        }
    }

    impl Owned for Unready<Values> {
        type Ref<'a> = Unready<ValuesRef<'a>>;

        fn shorten<'short, 'long: 'short>(view: &'short Self::Ref<'long>) -> &'short Self::Ref<'short> {
            view
        }
    }

    #[test]
    fn a_body_that_is_no_such_message_is_let_go() {
        let body = Blob::from(vec![0x0a; 100]);
        assert!(Framed::<Values>::decode(body.clone()).is_err());
        assert_eq!(body, [0x0a; 100]);
    }

    #[test]
    fn a_body_that_cannot_be_decoded_to_its_end_is_let_go() {
        let whole = Values(vec![Blob::from([2; 2]), Blob::from([40; 40])]).encode_to_vec();
        let cut_off = whole[..whole.len() - 1].to_vec();
        for (bytes, panics) in [(whole, true), (cut_off, false)] {
            let body = Blob::from(bytes.clone());
            let (start, shared) = (body.as_ptr(), body.clone());
            let decoded = std::panic::catch_unwind(|| Framed::<Unready<Values>>::decode(shared).is_ok());
            assert_eq!(decoded.ok(), (!panics).then_some(false));
            let unshared = Vec::from(body);
            assert_eq!(unshared, bytes);
            assert_eq!(unshared.as_ptr(), start, "something else still refers to the body");
        }
    }
}
