//! A hand-written encoder of protobuf's wire format, so that tests do not rely on the code under test.

/// A message that is encoded field by field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

/// Starts an empty message.
pub(crate) fn message() -> Bytes {
    Bytes::default()
}

impl Bytes {
    fn push(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap());
        self
    }

    fn tag(self, number: u32, wire_type: u32) -> Self {
        self.push(u64::from(number << 3 | wire_type))
    }

    pub(crate) fn varint(self, number: u32, value: u64) -> Self {
        self.tag(number, 0).push(value)
    }

    /// Appends a negative `int32`, `int64` or enum.
    pub(crate) fn negative(self, number: u32, value: i64) -> Self {
        self.varint(number, value.cast_unsigned())
    }

    pub(crate) fn fixed32(mut self, number: u32, value: [u8; 4]) -> Self {
        self = self.tag(number, 5);
        self.0.extend(value);
        self
    }

    pub(crate) fn fixed64(mut self, number: u32, value: [u8; 8]) -> Self {
        self = self.tag(number, 1);
        self.0.extend(value);
        self
    }

    pub(crate) fn bytes(mut self, number: u32, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self = self.tag(number, 2).push(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(crate) fn nested(self, number: u32, nested: Self) -> Self {
        self.bytes(number, nested.0)
    }

    pub(crate) fn group(mut self, number: u32, nested: Self) -> Self {
        self = self.tag(number, 3);
        self.0.extend(nested.0);
        self.tag(number, 4)
    }

    pub(crate) fn packed(self, number: u32, values: &[u64]) -> Self {
        let run = values.iter().fold(Self::default(), |run, &value| run.push(value));
        self.bytes(number, run.0)
    }
}
