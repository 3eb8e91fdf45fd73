//! [`Integer`]: an integer of any size, in decimal.
//!
//! Invariant: there are no leading zeros, and zero is not negative, so two integers are
//! equal exactly if their fields are.

use std::cmp::Ordering;
use std::fmt;

/// An integer of any size, such as the terms of `_int` indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    negative: bool,
    /// Decimal digits, `0..=9`, the most significant first. Zero has none.
    digits: Vec<u8>,
}

impl Integer {
    /// Parses what Erlang accepts: an optional sign, then digits only.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Self::new(negative, digits.iter().map(|digit| digit - b'0').collect()))
    }

    fn new(negative: bool, mut digits: Vec<u8>) -> Self {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        Self { negative: negative && !digits.is_empty(), digits }
    }

    /// Reports whether the integer is below zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Returns the absolute value in base 256, least significant byte first, without
    /// leading zeros.
    pub(crate) fn magnitude_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for digit in &self.digits {
            let mut carry = u32::from(*digit);
            for byte in &mut bytes {
                carry += u32::from(*byte) * 10;
                [*byte, ..] = carry.to_le_bytes();
                carry >>= 8;
            }
            if carry > 0 {
                bytes.push(carry.to_le_bytes()[0]);
            }
        }
        bytes
    }

    /// Creates the integer with this sign and this absolute value in base 256, least
    /// significant byte first.
    pub(crate) fn from_magnitude(negative: bool, bytes: &[u8]) -> Self {
        // Least significant digit first, until they are reversed below.
        let mut digits: Vec<u8> = Vec::new();
        for byte in bytes.iter().rev() {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                carry += u32::from(*digit) * 256;
                [*digit, ..] = (carry % 10).to_le_bytes();
                carry /= 10;
            }
            while carry > 0 {
                digits.push((carry % 10).to_le_bytes()[0]);
                carry /= 10;
            }
        }
        digits.reverse();
        Self::new(negative, digits)
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self::from_magnitude(value < 0, &value.unsigned_abs().to_le_bytes())
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitudes =
            || self.digits.len().cmp(&other.digits.len()).then_with(|| self.digits.cmp(&other.digits));
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitudes(),
            (true, true) => magnitudes().reverse(),
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        self.digits.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Integer;

    fn integer(text: &str) -> Integer {
        Integer::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn parses_what_erlang_accepts() {
        for (text, printed) in [
            ("7", "7"),
            ("+7", "7"),
            ("-07", "-7"),
            ("-0", "0"),
            ("000", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(integer(text).to_string(), printed);
        }
        for text in ["", "-", "+", "abc", "1.0", " 1", "1 ", "--1", "0x1"] {
            assert_eq!(Integer::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn orders_by_value() {
        let sorted =
            ["-100000000000000000000", "-11", "-2", "-1", "0", "1", "2", "11", "100000000000000000000"];
        for pair in sorted.windows(2) {
            assert!(integer(pair[0]) < integer(pair[1]), "{pair:?}");
        }
        assert_eq!(integer("010"), integer("10"));
    }

    #[test]
    fn round_trips_through_bytes() {
        for text in ["0", "1", "-255", "256", "65535", "-65536", "18446744073709551616"] {
            let number = integer(text);
            assert_eq!(Integer::from_magnitude(number.is_negative(), &number.magnitude_bytes()), number);
        }
        assert_eq!(integer("65536").magnitude_bytes(), [0, 0, 1]);
        assert_eq!(Integer::from(i64::MIN).to_string(), "-9223372036854775808");
    }
}
