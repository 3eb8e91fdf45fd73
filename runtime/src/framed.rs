//! [`Framed`]: a borrowed message together with the bytes it borrows from.
//!
//! Invariant: `view` borrows only from the heap bytes of `body`, which do not
//! move when the whole does, live as long as it, and are never written.

use std::fmt;
use std::mem::MaybeUninit;

use crate::Blob;
use crate::error::DecodeError;
use crate::message::{Decode, Message, Owned, View};

/// A message that was decoded without copying, and owns the frame's body.
///
/// It can be kept, sent to another task and read as the borrowed form, for the
/// price of one reference count.
pub struct Framed<M: Owned> {
    /// Initialised until the whole is dropped, and dropped before `body`, which
    /// it borrows from. What is in a `MaybeUninit` makes no claims to what it
    /// borrows when the whole is moved.
    view: MaybeUninit<M::Ref<'static>>,
    body: Blob,
}

impl<M: Owned> Drop for Framed<M> {
    fn drop(&mut self) {
        // SAFETY: the view is initialised, and not used any more.
        unsafe { self.view.assume_init_drop() };
    }
}

impl<M: Owned> Framed<M> {
    /// Decodes a frame's body without copying its values.
    ///
    /// # Errors
    ///
    /// If the body is no such message.
    pub fn decode(body: Blob) -> Result<Self, DecodeError> {
        let body = body.into_heap();
        // SAFETY: a heap blob's bytes stay where they are, unchanged, until it
        // is dropped. `body` goes into the same value as the view, which is
        // dropped before it and only lent out for as long as the whole lives.
        let bytes: &'static [u8] = unsafe { std::slice::from_raw_parts(body.as_ptr(), body.len()) };
        let view = M::Ref::decode(bytes)?;
        Ok(Self { view: MaybeUninit::new(view), body })
    }

    /// The message.
    #[must_use]
    pub fn get(&self) -> &M::Ref<'_> {
        // SAFETY: the view is initialised while the whole lives.
        M::shorten(unsafe { self.view.assume_init_ref() })
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &Blob {
        &self.body
    }

    /// The message as one that owns its data.
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

// The name is what a reader of a trace looks for.
impl<M: Owned> Framed<M> {
    /// The message's protobuf name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        <M as Message>::NAME
    }
}
