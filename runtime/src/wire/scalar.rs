//! The numeric scalar types: how Rust values are written and read as each of them.
//!
//! Invariant: a type that overrides a provided function of [`Writes`] or [`Reads`] has
//! the same behaviour, only faster.

use super::cold_path::cold_path;
use super::{Context, Reader, Reads, Writer, Writes};
use crate::Quorum;
use crate::error::DecodeError;
use crate::varint::{unzigzag32, unzigzag64, zigzag32, zigzag64};

/// Declares the marker type of a scalar.
macro_rules! kind {
    ($(#[$doc:meta])* $kind:ident($value:ty)) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}
    };
}

/// Implements scalar types that are varints.
macro_rules! varints {
    ($(
        $(#[$doc:meta])*
        $kind:ident($value:ty) bits($v:ident) $bits:expr, of($b:ident) $of:expr;
    )*) => {$(
        kind! { $(#[$doc])* $kind($value) }

        impl Writes<$value> for $kind {
            #[inline]
            fn write<'w>(&$v: &$value, out: Writer<'w>) -> Writer<'w> {
                out.varint($bits)
            }

            #[inline]
            fn put<'w>(tag: u32, &$v: &$value, out: Writer<'w>) -> Writer<'w> {
                out.varint_field(tag, $bits)
            }

            #[inline]
            fn put_optional<'w>(tag: u32, value: &Option<$value>, out: Writer<'w>) -> Writer<'w> {
                let Some($v) = *value else { return out };
                cold_path();
                out.varint_field(tag, $bits)
            }

            #[inline]
            fn write_all<'w>(values: &[$value], out: Writer<'w>) -> Writer<'w> {
                out.varints(values, |&$v| $bits)
            }

            #[inline]
            fn is_zero(value: &$value) -> bool {
                *value == <$value>::default()
            }
        }

        impl<'a> Reads<'a, $value> for $kind {
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
            fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<$value, DecodeError> {
                let $b = input.varint(ctx)?;
                Ok($of)
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "protobuf takes the low bits")]
            fn read_packed(
                values: &mut Vec<$value>,
                input: &mut Reader<'a>,
                ctx: &mut Context<'a>,
            ) -> Result<(), DecodeError> {
                input.packed_varints(values, |$b| $of, ctx)
            }
        }
    )*};
}

/// Implements scalar types of a fixed length.
macro_rules! fixed {
    ($($(#[$doc:meta])* $kind:ident($value:ty), $width:literal;)*) => {$(
        kind! { $(#[$doc])* $kind($value) }

        impl Writes<$value> for $kind {
            const LEAST: usize = $width;

            #[inline]
            fn write<'w>(value: &$value, out: Writer<'w>) -> Writer<'w> {
                out.array(value.to_le_bytes())
            }

            #[inline]
            fn put<'w>(tag: u32, value: &$value, out: Writer<'w>) -> Writer<'w> {
                out.array_field(tag, value.to_le_bytes())
            }

            #[inline]
            fn put_optional<'w>(tag: u32, value: &Option<$value>, out: Writer<'w>) -> Writer<'w> {
                let Some(value) = *value else { return out };
                cold_path();
                out.array_field(tag, value.to_le_bytes())
            }

            #[inline]
            fn write_all<'w>(values: &[$value], out: Writer<'w>) -> Writer<'w> {
                out.arrays(values, |value| value.to_le_bytes())
            }

            #[inline]
            fn is_zero(value: &$value) -> bool {
                value.to_le_bytes() == [0; $width]
            }
        }

        impl<'a> Reads<'a, $value> for $kind {
            #[inline]
            fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<$value, DecodeError> {
                Ok(<$value>::from_le_bytes(input.array(ctx)?))
            }

            #[inline]
            fn read_packed(
                values: &mut Vec<$value>,
                input: &mut Reader<'a>,
                ctx: &mut Context<'a>,
            ) -> Result<(), DecodeError> {
                input.packed_arrays(values, <$value>::from_le_bytes, ctx)
            }
        }
    )*};
}

varints! {
    /// `int32`: negative values take ten bytes.
    Int32(i32) bits(v) i64::from(v).cast_unsigned(), of(bits) (bits as u32).cast_signed();
    /// `int64`: negative values take ten bytes.
    Int64(i64) bits(v) v.cast_unsigned(), of(bits) bits.cast_signed();
    /// `uint32`.
    Uint32(u32) bits(v) u64::from(v), of(bits) bits as u32;
    /// `uint64`.
    Uint64(u64) bits(v) v, of(bits) bits;
    /// `sint32`: zigzag, so that small negative values are short.
    Sint32(i32) bits(v) u64::from(zigzag32(v)), of(bits) unzigzag32(bits as u32);
    /// `sint64`: zigzag, so that small negative values are short.
    Sint64(i64) bits(v) zigzag64(v), of(bits) unzigzag64(bits);
    /// `bool`. Any number other than zero is read as true.
    Bool(bool) bits(v) u64::from(v), of(bits) bits != 0;
}

fixed! {
    /// `fixed32`: four bytes.
    Fixed32(u32), 4;
    /// `fixed64`: eight bytes.
    Fixed64(u64), 8;
    /// `sfixed32`: four bytes.
    Sfixed32(i32), 4;
    /// `sfixed64`: eight bytes.
    Sfixed64(i64), 8;
    /// `float`. Negative zero is not zero: it is written.
    Float(f32), 4;
    /// `double`. Negative zero is not zero: it is written.
    Double(f64), 8;
}

impl Writes<Quorum> for Uint32 {
    #[inline]
    fn write<'w>(value: &Quorum, out: Writer<'w>) -> Writer<'w> {
        Self::write(&value.0, out)
    }

    #[inline]
    fn put<'w>(tag: u32, value: &Quorum, out: Writer<'w>) -> Writer<'w> {
        Self::put(tag, &value.0, out)
    }

    #[inline]
    fn put_optional<'w>(tag: u32, value: &Option<Quorum>, out: Writer<'w>) -> Writer<'w> {
        Self::put_optional(tag, &value.map(|quorum| quorum.0), out)
    }

    #[inline]
    fn is_zero(value: &Quorum) -> bool {
        value.0 == 0
    }
}

impl<'a> Reads<'a, Quorum> for Uint32 {
    #[inline]
    fn read(input: &mut Reader<'a>, ctx: &mut Context<'a>) -> Result<Quorum, DecodeError> {
        Self::read(input, ctx).map(Quorum)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::DecodeLimits;

    /// Checks that a repeated field is read as it was written.
    pub(in crate::wire) fn round_trip<
        'a,
        K: Writes<V> + Reads<'a, V>,
        V: Clone + PartialEq + std::fmt::Debug,
    >(
        values: &[V],
        buffer: &'a mut Vec<u8>,
    ) {
        *buffer = Writer::collect("", 0, |out| K::put_repeated(0x0a, values, out));
        let (mut ctx, mut input) = Context::new(buffer, None, &DecodeLimits::default());
        assert_eq!(input.tag(&ctx).unwrap(), Some(0x0a));
        let mut read = Vec::new();
        K::read_repeated(0x0a, &mut read, &mut input, &mut ctx).unwrap();
        assert_eq!((read.as_slice(), input.remaining()), (values, 0));
        optional_values_are_written_as_required_ones::<K, V>(values);
    }

    fn optional_values_are_written_as_required_ones<K: Writes<V>, V: Clone>(values: &[V]) {
        for (tag, value) in values.iter().flat_map(|value| [(0x0a, value), (0x8000, value)]) {
            let optional = Writer::collect("", 0, |out| K::put_optional(tag, &Some(value.clone()), out));
            assert_eq!(optional, Writer::collect("", 0, |out| K::put(tag, value, out)));
            assert_eq!(Writer::count(|out| K::put_optional(tag, &None, out)), 0);
        }
    }

    #[test]
    fn extremes_round_trip() {
        let signed32 = [0, 1, -1, 63, -64, i32::MAX, i32::MIN];
        let signed64 = [0, 1, -1, 1 << 33, i64::MAX, i64::MIN];
        round_trip::<Int32, _>(&signed32, &mut Vec::new());
        round_trip::<Sint32, _>(&signed32, &mut Vec::new());
        round_trip::<Sfixed32, _>(&signed32, &mut Vec::new());
        round_trip::<Int64, _>(&signed64, &mut Vec::new());
        round_trip::<Sint64, _>(&signed64, &mut Vec::new());
        round_trip::<Sfixed64, _>(&signed64, &mut Vec::new());
        round_trip::<Uint32, _>(&[0, 127, 128, u32::MAX], &mut Vec::new());
        round_trip::<Uint32, _>(&[Quorum::ALL, Quorum::ONE, Quorum(3)], &mut Vec::new());
        round_trip::<Fixed32, _>(&[0, u32::MAX], &mut Vec::new());
        round_trip::<Uint64, _>(&[0, 1 << 63, u64::MAX], &mut Vec::new());
        round_trip::<Fixed64, _>(&[0, u64::MAX], &mut Vec::new());
        round_trip::<Bool, _>(&[true, false], &mut Vec::new());
        round_trip::<Float, _>(&[0.0, -0.5, f32::INFINITY], &mut Vec::new());
        round_trip::<Double, _>(&[0.0, -0.5, f64::MIN_POSITIVE], &mut Vec::new());
    }

    #[test]
    fn packed_runs_round_trip_and_an_empty_one_is_nothing() {
        let values = [0, -1, 300, i64::MAX];
        let buffer = Writer::collect("", 0, |out| Sint64::put_packed(0x0a, &values, out));
        let (mut ctx, mut input) = Context::new(&buffer, None, &DecodeLimits::default());
        input.tag(&ctx).unwrap();
        let mut read = Vec::new();
        Sint64::read_packed(&mut read, &mut input, &mut ctx).unwrap();
        assert_eq!(read, values);
        assert_eq!(Writer::count(|out| Sint64::put_packed(0x0a, &[], out)), 0);
    }

    #[test]
    fn negative_zero_is_written_without_presence() {
        assert!(!Double::is_zero(&-0.0) && Double::is_zero(&0.0));
        assert_eq!(Writer::count(|out| Float::put_implicit(0x0d, &-0.0, out)), 5);
        assert_eq!(Writer::count(|out| Float::put_implicit(0x0d, &0.0, out)), 0);
    }
}
