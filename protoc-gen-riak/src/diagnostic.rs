//! Faults and notices: what is wrong in a schema, and where.
//!
//! Invariant: a [`Diagnostics`] is sorted by file (in the order in which the files were named), then
//! by line, then by column, and holds at least one entry when it is returned as an error.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

/// One fault or notice, at a place in a source file.
///
/// Displays as `file:line:column: message`, without the parts of the place that are not
/// known.
///
/// ```
/// let fault = protoc_gen_riak::Diagnostic::new("shop.proto", 3, 7, "there is no type `Itm`");
/// assert_eq!(fault.to_string(), "shop.proto:3:7: there is no type `Itm`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The file, as it was given to the generator; empty if not known.
    pub file: String,
    /// The line, counted from 1; 0 if not known.
    pub line: u32,
    /// The column, counted from 1; 0 if not known. Faults of options and codes have the
    /// columns of `protoc`: bytes, with each tab extended to a multiple of 8. All others
    /// count characters.
    pub column: u32,
    /// What is wrong and what to do about it, in lower case.
    pub message: String,
}

impl Diagnostic {
    /// Creates a fault or notice.
    #[must_use]
    pub fn new(file: impl Into<String>, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, column, message: message.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if self.line != 0 {
                write!(f, "{}:", self.line)?;
                if self.column != 0 {
                    write!(f, "{}:", self.column)?;
                }
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}

/// All faults of a run, sorted by file, line and column.
///
/// Displays one fault on each line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Sorts faults by file, line and column. Files come in the order of `files`, followed by
    /// other files in the order in which `faults` first names them. Duplicates are removed.
    #[must_use]
    pub fn sorted<'a>(faults: Vec<Diagnostic>, files: impl IntoIterator<Item = &'a str>) -> Self {
        let mut order: HashMap<String, usize> = HashMap::new();
        for file in files {
            let next = order.len();
            order.entry(file.to_owned()).or_insert(next);
        }
        for fault in &faults {
            let next = order.len();
            order.entry(fault.file.clone()).or_insert(next);
        }
        let mut faults = faults;
        faults.sort_by(|a, b| {
            let key = |d: &Diagnostic| (order.get(&d.file).copied(), d.line, d.column);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        faults.dedup();
        Self(faults)
    }

    /// Returns the faults.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Reports whether there are no faults.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of faults.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Iterates over the faults in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(fault: Diagnostic) -> Self {
        Self(vec![fault])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_of_a_place_are_not_shown() {
        let shown = |line, column| Diagnostic::new("a.proto", line, column, "no").to_string();
        assert_eq!(shown(3, 7), "a.proto:3:7: no");
        assert_eq!(shown(3, 0), "a.proto:3: no");
        assert_eq!(shown(0, 0), "a.proto: no");
        assert_eq!(Diagnostic::new("", 0, 0, "no").to_string(), "no");
    }

    #[test]
    fn faults_come_in_the_order_of_the_files_named() {
        let at = |file, line, column| Diagnostic::new(file, line, column, "x");
        let faults = vec![
            at("z.proto", 1, 1),
            at("b.proto", 9, 1),
            at("a.proto", 2, 2),
            at("b.proto", 1, 5),
            at("a.proto", 2, 1),
            at("a.proto", 2, 2),
        ];
        let sorted = Diagnostics::sorted(faults, ["b.proto", "a.proto"]);
        assert_eq!(
            sorted.to_string(),
            "b.proto:1:5: x\nb.proto:9:1: x\na.proto:2:1: x\na.proto:2:2: x\nz.proto:1:1: x"
        );
        assert_eq!(sorted.len(), 5);
    }
}
