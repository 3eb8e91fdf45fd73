//! [`Kind`]: a message type of the schema, with functions to decode it.
//!
//! Invariant: there is one for each message that code is generated for. The build script
//! lists them.

use riak_runtime::{Blob, Owned, View};

use crate::decoding::{self, Reading};

/// A message type of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The full protobuf name.
    pub name: &'static str,
    /// The message code, if the message is the body of a frame.
    pub code: Option<u8>,
    /// The format of its encoded form.
    pub body: Body,
    read: fn(&Blob, Option<u8>) -> Reading,
}

/// The format of a message's encoded form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Encoded fields.
    Fields,
    /// Empty, whatever fields it has: the message is sent without a body.
    Empty,
    /// Bytes that are not protobuf.
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

    /// Decodes bytes in every way, and encodes the results again.
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid message.
    ///
    /// # Panics
    ///
    /// If the ways differ, or one exceeds the memory limit.
    pub fn read(&self, bytes: &Blob) -> Reading {
        (self.read)(bytes, self.code)
    }
}
