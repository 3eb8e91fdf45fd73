//! [`Formatted`]: the formatted text of items, cached between the runs of a build
//! script.
//!
//! Build scripts are compiled without optimisation, and parsing and printing tokens
//! takes two thirds of the generator's time there. An edit of a schema changes few
//! items, so the text of all others is looked up by their tokens.
//!
//! Invariant: text is reused only for equal tokens and the same version of this crate.
//! A cache file that is missing, damaged or not writable costs time, but never changes
//! the output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use proc_macro2::TokenStream;

use crate::replace::replace;

/// The first line of a cache file. Files of other versions are ignored.
const HEADER: &str = concat!("formatted by protoc-gen-riak ", env!("CARGO_PKG_VERSION"), "\n");

/// The formatted text of items, by their tokens as text.
///
/// The keys are whole texts, not hashes: comparing them is faster in a build script,
/// where a hash function is not optimised, and two items never share a key.
type Items = BTreeMap<String, String>;

/// A cache of formatted items.
pub(crate) struct Formatted {
    /// The cache file, if there is one.
    file: Option<PathBuf>,
    /// The items of the previous run.
    before: Items,
    /// The items of this run.
    used: Mutex<Items>,
}

impl Formatted {
    /// Creates a cache that is neither read nor written.
    pub(crate) fn uncached() -> Self {
        Self { file: None, before: Items::new(), used: Mutex::default() }
    }

    /// Reads the cache of a build script's output in `dir` from the script's `OUT_DIR`.
    pub(crate) fn for_output(dir: &Path) -> Self {
        let Some(out_dir) = env::var_os("OUT_DIR") else { return Self::uncached() };
        // A build script may write to several directories.
        let name = format!("protoc-gen-riak-{:016x}.formatted", checksum(dir.as_os_str().as_encoded_bytes()));
        Self::in_file(Path::new(&out_dir).join(name))
    }

    /// Reads a cache file, which [`Formatted::save`] replaces.
    fn in_file(file: PathBuf) -> Self {
        let before = fs::read(&file).ok().and_then(|bytes| parse(&bytes)).unwrap_or_default();
        Self { file: Some(file), before, used: Mutex::default() }
    }

    /// Returns the text of an item, which ends with a line break.
    ///
    /// # Errors
    ///
    /// Returns an error if the tokens are not Rust.
    pub(super) fn text(&self, item: TokenStream) -> syn::Result<String> {
        if self.file.is_none() {
            return format(item);
        }
        let key = item.to_string();
        let text = match self.before.get(&key) {
            Some(text) => text.clone(),
            None => format(item)?,
        };
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(key, text.clone());
        Ok(text)
    }

    /// Writes the items of this run for the next one. A failure to write is ignored: the
    /// next run then formats all items again.
    pub(crate) fn save(self) {
        let Some(file) = self.file else { return };
        let used = self.used.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !used.keys().eq(self.before.keys()) {
            let _ = replace(&file, &print(&used));
        }
    }
}

fn format(item: TokenStream) -> syn::Result<String> {
    Ok(super::spacing::add_blank_lines(&prettyplease::unparse(&syn::parse2(item)?)))
}

/// Encodes a cache file: the header, a checksum of the rest, and for each item the
/// lengths of its key and its text, the key and the text.
fn print(items: &Items) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, text) in items {
        body.extend((key.len() as u64).to_le_bytes());
        body.extend((text.len() as u64).to_le_bytes());
        body.extend(key.as_bytes());
        body.extend(text.as_bytes());
    }
    [HEADER.as_bytes(), &checksum(&body).to_le_bytes(), &body].concat()
}

/// Decodes a cache file; returns `None` if it is damaged or of another version.
fn parse(bytes: &[u8]) -> Option<Items> {
    let (sum, mut body) = bytes.strip_prefix(HEADER.as_bytes())?.split_first_chunk()?;
    if u64::from_le_bytes(*sum) != checksum(body) {
        return None;
    }
    let mut items = Items::new();
    while !body.is_empty() {
        let [key_len, text_len] = [length(&mut body)?, length(&mut body)?];
        let key = text(&mut body, key_len)?;
        items.insert(key, text(&mut body, text_len)?);
    }
    Some(items)
}

fn length(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    usize::try_from(u64::from_le_bytes(*number)).ok()
}

fn text(bytes: &mut &[u8], len: usize) -> Option<String> {
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    str::from_utf8(text).ok().map(str::to_owned)
}

/// Returns a checksum, which is certain to notice a change within one block of eight
/// bytes: each step can be undone. It takes few operations a block, since a build script
/// is not optimised.
fn checksum(bytes: &[u8]) -> u64 {
    // The fractional part of the golden ratio; the number must be odd.
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, block: u64| (sum.rotate_left(23) ^ block).wrapping_mul(MIX);
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let sum = blocks.iter().fold(bytes.len() as u64, |sum, block| step(sum, u64::from_le_bytes(*block)));
    step(sum, u64::from_le_bytes(last))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    /// Returns the path of a file that no other test uses.
    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("protoc-gen-riak-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir.join(name)
    }

    /// Replaces every cached text, and returns the text that `struct A;` has then.
    fn poisoned(file: &Path) -> String {
        let kept = fs::read(file).unwrap();
        let items = parse(&kept).unwrap();
        let items = items.into_keys().map(|key| (key, "reused\n".to_owned())).collect();
        fs::write(file, print(&items)).unwrap();
        Formatted::in_file(file.to_owned())
            .text(quote!(
                struct A;
            ))
            .unwrap()
    }

    #[test]
    fn the_next_run_reuses_the_text_of_the_same_tokens() {
        let file = scratch("reused");
        let first = Formatted::in_file(file.clone());
        assert_eq!(
            first
                .text(quote!(
                    struct A;
                ))
                .unwrap(),
            "struct A;\n"
        );
        first.save();
        assert_eq!(poisoned(&file), "reused\n");
        let second = Formatted::in_file(file.clone());
        assert_eq!(
            second
                .text(quote!(
                    struct B;
                ))
                .unwrap(),
            "struct B;\n"
        );
        second.save();
        // Items that a run does not need are dropped from the cache.
        let third = Formatted::in_file(file);
        assert_eq!(
            third
                .text(quote!(
                    struct A;
                ))
                .unwrap(),
            "struct A;\n"
        );
    }

    #[test]
    fn a_damaged_file_is_not_used() {
        let file = scratch("damaged");
        let first = Formatted::in_file(file.clone());
        first
            .text(quote!(
                struct A;
            ))
            .unwrap();
        first.save();
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            for bytes in [&damaged[..], &whole[..at]] {
                fs::write(&file, bytes).unwrap();
                let next = Formatted::in_file(file.clone());
                assert!(next.before.is_empty(), "byte {at}");
                assert_eq!(
                    next.text(quote!(
                        struct A;
                    ))
                    .unwrap(),
                    "struct A;\n"
                );
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_no_failure() {
        let dir = scratch("directory");
        fs::create_dir_all(dir.join("inside")).unwrap();
        let run = Formatted::in_file(dir);
        assert_eq!(
            run.text(quote!(
                struct A;
            ))
            .unwrap(),
            "struct A;\n"
        );
        run.save();
    }
}
