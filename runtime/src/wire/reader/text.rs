//! UTF-8 validation of `string` fields.
//!
//! Invariant: everything that is returned as text is UTF-8.

/// The longest text that is checked here. Names and the like are short, and the
/// standard library's check, which is optimised for long text, costs as much as
/// everything else in reading one.
const MAX_SHORT: usize = 32;

/// Returns the bytes as text if they are UTF-8.
#[inline]
pub(in crate::wire) fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() <= MAX_SHORT && is_ascii(bytes) {
        // SAFETY: all bytes are ASCII, which is valid UTF-8.
        return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).ok()
}

/// Reports whether all bytes are ASCII. Checks them in words, the last of which
/// overlaps the previous one.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk() {
        let (words, _) = bytes.as_chunks();
        let bits = words.iter().chain([last]).fold(0, |bits, word| bits | u64::from_ne_bytes(*word));
        return bits & super::varint::CONTINUATION_BITS == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & 0x8080_8080 == 0;
    }
    match bytes {
        [] => true,
        [first, ..] => (first | bytes[bytes.len() / 2] | bytes[bytes.len() - 1]) < 0x80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn each_byte_of_each_length_is_looked_at() {
        for len in 0..=MAX_SHORT + 8 {
            let ascii = vec![b'~'; len];
            assert_eq!(text(&ascii).map(str::len), Some(len));
            for at in 0..len {
                let mut bytes = ascii.clone();
                bytes[at] = 0x80;
                assert_eq!(text(&bytes), None, "{len} bytes, wrong at {at}");
            }
        }
    }

    #[test]
    fn text_is_what_the_library_says_it_is() {
        let mut dice = Dice::new(9);
        for _ in 0..Dice::times(50_000) {
            let mut bytes = Vec::new();
            for _ in 0..dice.below(14) {
                match dice.below(8) {
                    0 => bytes.extend("é".bytes()),
                    1 => bytes.extend("漢".bytes()),
                    2 => bytes.extend("🦀".bytes()),
                    3 if dice.below(4) == 0 => bytes.push(0xe6),
                    _ => bytes.push(b'a'),
                }
            }
            assert_eq!(text(&bytes), std::str::from_utf8(&bytes).ok(), "{bytes:02x?}");
        }
    }
}
