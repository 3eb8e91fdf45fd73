//! Random messages of a schema: valid, non-canonical, and damaged.
//!
//! Invariant: they are the same in each run.

use riak_codegen::model::{Message, Presence, Schema, Type};
use riak_derived::Twin;
use riak_runtime::Blob;

/// Compares both types of a twin with `count` random messages, most of which have to be valid.
pub(crate) fn compare(twin: &Twin, schema: &Schema, count: usize) {
    let message = schema.messages.iter().find(|message| message.full_name == twin.name).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..count {
        let mut bytes = Vec::new();
        random.message(schema, message, 0, &mut bytes);
        if random.below(16) == 0 {
            random.damage(&mut bytes);
        }
        match twin.check(&Blob::from(bytes)) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > count / 2, "{}: only {read} messages were read, {refused} refused", twin.name);
    assert_eq!(read + refused, count);
}

/// A random number generator with a fixed seed.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 33) % end
    }

    /// Encodes the fields of a message, some of them several times, and some that the
    /// schema does not know.
    fn message(&mut self, schema: &Schema, message: &Message, depth: u32, out: &mut Vec<u8>) {
        for field in &message.fields {
            let nested = matches!(field.ty, Type::Message(_) | Type::Group(_));
            let count = match field.presence {
                Presence::Required => 1 + u64::from(self.below(8) == 0),
                Presence::Repeated { .. } if depth < 3 => self.below(4),
                _ if nested && depth > 3 => 0,
                _ => self.below(2),
            };
            for _ in 0..count {
                self.field(schema, field.number, field.ty, depth, out);
            }
        }
        if self.below(4) == 0 {
            self.field(schema, 1000, Type::Bytes, depth, out);
        }
    }

    fn field(&mut self, schema: &Schema, number: u32, ty: Type, depth: u32, out: &mut Vec<u8>) {
        let tag = |wire: u64| u64::from(number) << 3 | wire;
        match ty {
            Type::Fixed64 | Type::Sfixed64 | Type::Double => {
                varint(tag(1), out);
                out.extend(self.next().to_le_bytes());
            }
            Type::Fixed32 | Type::Sfixed32 | Type::Float => {
                varint(tag(5), out);
                out.extend(&self.next().to_le_bytes()[..4]);
            }
            Type::String | Type::Bytes => {
                varint(tag(2), out);
                let len = if self.below(8) == 0 { self.below(600) } else { self.below(30) };
                varint(len, out);
                out.extend((0..len).map(|_| b'a' + u8::try_from(self.below(26)).unwrap()));
            }
            Type::Message(id) => {
                let mut body = Vec::new();
                self.message(schema, schema.message(id), depth + 1, &mut body);
                varint(tag(2), out);
                varint(body.len() as u64, out);
                out.extend(body);
            }
            Type::Group(id) => {
                varint(tag(3), out);
                self.message(schema, schema.message(id), depth + 1, out);
                varint(tag(4), out);
            }
            Type::Enum(id) => {
                let values = &schema.enumeration(id).values;
                varint(tag(0), out);
                let value = &values[usize::try_from(self.below(values.len() as u64)).unwrap()];
                // The number 99 has no name in the enum.
                let number = if self.below(32) == 0 { 99 } else { value.number };
                varint(i64::from(number).cast_unsigned(), out);
            }
            _ => {
                varint(tag(0), out);
                let shift = self.below(64);
                varint(self.next() >> shift, out);
            }
        }
    }

    /// Truncates the bytes, or changes one.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let index = usize::try_from(self.below(bytes.len() as u64)).unwrap();
        if self.below(2) == 0 {
            bytes.truncate(index);
        } else {
            bytes[index] = self.next().to_le_bytes()[0];
        }
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
