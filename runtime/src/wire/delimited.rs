//! The types `bytes` and `string`: how Rust values are written and read as each of them.
//!
//! Invariant: a type that overrides a provided function of [`Writes`] or [`Reads`] has
//! the same behaviour, only faster.

use super::reader::text;
use super::{Context, Reader, Reads, Writer, Writes, growth};
use crate::Blob;
use crate::error::{DecodeError, DecodeErrorKind};

/// `bytes`.
#[derive(Debug)]
pub enum Bytes {}

impl Writes<Blob> for Bytes {
    #[inline]
    fn at_least(value: &Blob) -> usize {
        value.len()
    }

    #[inline]
    fn write<'w>(value: &Blob, out: Writer<'w>) -> Writer<'w> {
        out.blob(value)
    }

    #[inline]
    fn put<'w>(tag: u32, value: &Blob, out: Writer<'w>) -> Writer<'w> {
        out.blob_field(tag, value)
    }

    #[inline]
    fn is_zero(value: &Blob) -> bool {
        value.is_empty()
    }
}

impl<'a> Reads<'a, Blob> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Blob, DecodeError> {
        let bytes = input.delimited(ctx)?;
        Ok(ctx.blob(bytes))
    }

    // The next three do the same as the provided functions, but never pass a blob
    // through a `Result`, which would be built and taken apart in memory (measured on a
    // list of keys: four times the time).
    #[inline]
    fn set(place: &mut Blob, input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
        let bytes = input.delimited(ctx)?;
        set_blob(place, bytes, ctx);
        Ok(())
    }

    #[inline]
    fn set_optional(
        place: &mut Option<Blob>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        let bytes = input.delimited(ctx)?;
        set_optional_blob(place, bytes, ctx);
        Ok(())
    }

    #[inline]
    fn read_repeated(
        tag: u32,
        values: &mut Vec<Blob>,
        input: &mut Reader<'a>,
        ctx: &mut Context<'a>,
    ) -> Result<(), DecodeError> {
        input.lend(|mut input| {
            let before = input.remaining();
            let bytes = input.delimited(ctx)?;
            growth::reserve_one(values, &input, ctx)?;
            push_blob(values, bytes, ctx);
            if input.take_tag(tag) {
                growth::reserve_run(values, before - input.remaining(), input.remaining(), ctx);
                loop {
                    let bytes = input.delimited(ctx)?;
                    growth::reserve_one(values, &input, ctx)?;
                    push_blob(values, bytes, ctx);
                    if !input.take_tag(tag) {
                        break;
                    }
                }
            }
            Ok(input)
        })
    }
}

// Short blobs are set and pushed inline, which needs no call and so saves no registers (measured:
// a tenth of the time of a put); all others in functions of their own, so that the callers of
// these functions are small enough to be inlined.

#[expect(clippy::inline_always, reason = "a short value needs no call")]
#[inline(always)]
fn set_blob<'a>(place: &mut Blob, bytes: &'a [u8], ctx: &mut Context<'a>) {
    if place.is_inline()
        && let Some(blob) = ctx.short_blob(bytes)
    {
        return overwrite(place, blob);
    }
    set_long_blob(place, bytes, ctx);
}

#[expect(clippy::inline_always, reason = "a short value needs no call")]
#[inline(always)]
fn set_optional_blob<'a>(place: &mut Option<Blob>, bytes: &'a [u8], ctx: &mut Context<'a>) {
    if place.as_ref().is_none_or(Blob::is_inline)
        && let Some(blob) = ctx.short_blob(bytes)
    {
        return overwrite(place, Some(blob));
    }
    set_long_optional_blob(place, bytes, ctx);
}

/// Overwrites a value without the code that would release its memory. A caller has made sure
/// that it owns none, which would be leaked.
#[inline]
fn overwrite<V>(place: &mut V, value: V) {
    std::mem::forget(std::mem::replace(place, value));
}

#[inline(never)]
fn set_long_blob<'a>(place: &mut Blob, bytes: &'a [u8], ctx: &mut Context<'a>) {
    *place = ctx.long_blob(bytes);
}

#[inline(never)]
fn set_long_optional_blob<'a>(place: &mut Option<Blob>, bytes: &'a [u8], ctx: &mut Context<'a>) {
    *place = Some(ctx.long_blob(bytes));
}

#[expect(clippy::inline_always, reason = "a short value needs no call")]
#[inline(always)]
fn push_blob<'a>(values: &mut Vec<Blob>, bytes: &'a [u8], ctx: &mut Context<'a>) {
    match ctx.short_blob(bytes) {
        Some(blob) => values.push(blob),
        None => push_long_blob(values, bytes, ctx),
    }
}

#[inline(never)]
fn push_long_blob<'a>(values: &mut Vec<Blob>, bytes: &'a [u8], ctx: &mut Context<'a>) {
    values.push(ctx.long_blob(bytes));
}

/// `string`: bytes that must be UTF-8.
#[derive(Debug)]
pub enum Text {}

/// Implements types that are written as their bytes.
macro_rules! delimited {
    ($($kind:ident: $value:ty),* $(,)?) => {$(
        impl Writes<$value> for $kind {
            #[inline]
            fn at_least(value: &$value) -> usize {
                value.len()
            }

            #[inline]
            fn write<'w>(value: &$value, out: Writer<'w>) -> Writer<'w> {
                out.delimited(value.as_ref())
            }

            #[inline]
            fn put<'w>(tag: u32, value: &$value, out: Writer<'w>) -> Writer<'w> {
                out.bytes_field(tag, value.as_ref())
            }

            #[inline]
            fn is_zero(value: &$value) -> bool {
                value.is_empty()
            }
        }
    )*};
}

delimited!(Bytes: Vec<u8>, Bytes: &[u8], Text: String, Text: &str);

impl<'a> Reads<'a, Vec<u8>> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Vec<u8>, DecodeError> {
        input.delimited(ctx).map(<[u8]>::to_vec)
    }
}

#[cfg(feature = "bytes")]
delimited!(Bytes: bytes::Bytes);

#[cfg(feature = "bytes")]
impl<'a> Reads<'a, bytes::Bytes> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<bytes::Bytes, DecodeError> {
        input.delimited(ctx).map(bytes::Bytes::copy_from_slice)
    }
}

impl<'a> Reads<'a, &'a [u8]> for Bytes {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<&'a [u8], DecodeError> {
        input.delimited(ctx)
    }
}

impl<'a> Reads<'a, &'a str> for Text {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<&'a str, DecodeError> {
        let bytes = input.delimited(ctx)?;
        text(bytes).ok_or_else(|| ctx.fail(input, DecodeErrorKind::InvalidUtf8))
    }
}

impl<'a> Reads<'a, String> for Text {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<String, DecodeError> {
        <Self as Reads<&str>>::read(input, ctx).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scalar::tests::round_trip;
    use super::*;
    use crate::DecodeLimits;

    #[test]
    fn values_of_each_type_round_trip() {
        round_trip::<Text, String>(&[String::new(), "é".into()], &mut Vec::new());
        round_trip::<Bytes, Vec<u8>>(&[vec![], vec![0xff; 200]], &mut Vec::new());
        round_trip::<Bytes, Blob>(&[Blob::new(), Blob::from(vec![0xff; 200])], &mut Vec::new());
        #[cfg(feature = "bytes")]
        round_trip::<Bytes, _>(
            &[bytes::Bytes::new(), bytes::Bytes::from_static(b"\x00text"), vec![7; 1 << 14].into()],
            &mut Vec::new(),
        );
    }

    #[test]
    fn a_blob_that_is_replaced_is_released() {
        // A value of 1 KiB, which is shared with the input, and then a short one.
        let mut bytes = vec![0x80, 0x08];
        bytes.extend([7; 1024]);
        bytes.extend([2, 8, 8]);
        bytes.extend([0; 30]);
        let start = bytes.as_ptr();
        let source = Blob::from(bytes);
        let (mut ctx, mut input) = Context::new(&source, Some(&source), &DecodeLimits::default());
        let mut again = input.clone();
        let (mut place, mut optional) = (Blob::new(), None::<Blob>);
        for _ in 0..2 {
            Bytes::set(&mut place, &mut input, &mut ctx).unwrap();
            Bytes::set_optional(&mut optional, &mut again, &mut ctx).unwrap();
        }
        assert_eq!((&place[..], optional.as_deref()), (&[8, 8][..], Some(&[8, 8][..])));
        let unshared = Vec::from(source);
        assert_eq!(unshared.as_ptr(), start, "something else refers to the input");
    }

    #[test]
    fn text_must_be_utf8() {
        let (mut ctx, mut input) = Context::new(&[1, 0xff], None, &DecodeLimits::default());
        let error = <Text as Reads<String>>::read(&mut input, &mut ctx).unwrap_err();
        assert_eq!(*error.kind(), DecodeErrorKind::InvalidUtf8);
    }
}
