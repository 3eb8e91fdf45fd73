//! Pointers to bytes and text that only hand-written messages use, besides the types of
//! generated ones: `Cow`, `Box<[u8]>`, `Box<str>`.
//!
//! Invariant: each is written as the value that it points to. A `Cow` is always read as
//! borrowed.

use std::borrow::Cow;

use super::{Bytes, Context, Reader, Reads, Text, Writer, Writes};
use crate::error::DecodeError;

macro_rules! pointers {
    ($($kind:ident: $value:ty as $target:ty;)*) => {$(
        impl Writes<$value> for $kind {
            #[inline]
            fn at_least(value: &$value) -> usize {
                value.len()
            }

            #[inline]
            fn write<'w>(value: &$value, out: Writer<'w>) -> Writer<'w> {
                let target: &$target = value;
                out.delimited(target.as_ref())
            }

            #[inline]
            fn put<'w>(tag: u32, value: &$value, out: Writer<'w>) -> Writer<'w> {
                let target: &$target = value;
                out.bytes_field(tag, target.as_ref())
            }

            #[inline]
            fn is_zero(value: &$value) -> bool {
                value.is_empty()
            }
        }
    )*};
}

pointers! {
    Bytes: Box<[u8]> as [u8];
    Bytes: Cow<'_, [u8]> as [u8];
    Text: Box<str> as str;
    Text: Cow<'_, str> as str;
}

impl<'a> Reads<'a, Box<[u8]>> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Box<[u8]>, DecodeError> {
        input.delimited(ctx).map(Into::into)
    }
}

impl<'a> Reads<'a, Cow<'a, [u8]>> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Cow<'a, [u8]>, DecodeError> {
        input.delimited(ctx).map(Cow::Borrowed)
    }
}

impl<'a> Reads<'a, Box<str>> for Text {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Box<str>, DecodeError> {
        <Self as Reads<&str>>::read(input, ctx).map(Into::into)
    }
}

impl<'a> Reads<'a, Cow<'a, str>> for Text {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Cow<'a, str>, DecodeError> {
        <Self as Reads<&str>>::read(input, ctx).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeLimits;

    #[test]
    fn pointers_are_written_as_what_they_point_to() {
        let buffer = Writer::collect("", 0, |out| {
            let out = Bytes::write(&Cow::Borrowed(&b"ab"[..]), out);
            let out = Text::write(&Cow::Borrowed("ab"), out);
            let out = Bytes::write(&Box::<[u8]>::from(&b"ab"[..]), out);
            Text::write(&Box::<str>::from("ab"), out)
        });
        assert_eq!(buffer, b"\x02ab\x02ab\x02ab\x02ab");
        let (mut ctx, mut input) = Context::new(&buffer, None, &DecodeLimits::default());
        let cow: Cow<'_, [u8]> = Bytes::read(&mut input, &mut ctx).unwrap();
        assert!(matches!(cow, Cow::Borrowed(b"ab")));
        let cow: Cow<'_, str> = Text::read(&mut input, &mut ctx).unwrap();
        assert!(matches!(cow, Cow::Borrowed("ab")));
        let bytes: Box<[u8]> = Bytes::read(&mut input, &mut ctx).unwrap();
        let text: Box<str> = Text::read(&mut input, &mut ctx).unwrap();
        assert_eq!((&*bytes, &*text), (&b"ab"[..], "ab"));
    }
}
