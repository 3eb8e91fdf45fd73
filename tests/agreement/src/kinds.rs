//! [`Kind`]: one message of the schema, as something to decode bytes with.
//!
//! Invariant: there is one for each message that code is generated for; the
//! build script lists them.

use riak_runtime::{Blob, Owned, View};

use crate::decoding::{self, Reading};

/// A message of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its protobuf name.
    pub name: &'static str,
    /// The code of the frames that it is the body of.
    pub code: Option<u8>,
    /// What its bytes are.
    pub body: Body,
    read: fn(&Blob, Option<u8>) -> Reading,
}

/// What the bytes of a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Its fields.
    Fields,
    /// Nothing, whatever fields it has: it is written without a body.
    Empty,
    /// Bytes that are no protobuf.
    Raw,
}

/// All messages, in the order of the schema.
pub const KINDS: &[Kind] = &include!(concat!(env!("OUT_DIR"), "/messages.rs"));

impl Kind {
    const fn of<M>(code: Option<u8>, body: Body) -> Self
    where
        M: Owned,
        for<'a> M::Ref<'a>: View<Owned = M>,
    {
        Self { name: M::NAME, code, body, read: decoding::read::<M> }
    }

    /// Decodes bytes in every way that there is, and encodes them again.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message.
    ///
    /// # Panics
    ///
    /// If the ways differ, or one takes more memory than it may.
    pub fn read(&self, bytes: &Blob) -> Reading {
        (self.read)(bytes, self.code)
    }
}
