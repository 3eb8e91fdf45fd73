//! The faults, which fail a run, and the notices that resolving reports.
//!
//! Invariant: resolving continues after a fault, and all faults of a run are
//! collected here.

use crate::diagnostic::{Diagnostic, Diagnostics};

/// A place in a source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as import statements name it; empty for the options of a run.
    pub(crate) file: String,
    /// The line, counted from 1; 0 if not known.
    pub(crate) line: u32,
    /// The column, counted from 1; 0 if not known.
    pub(crate) column: u32,
}

impl Place {
    /// Returns the place of faults in an option of the run, which are in no file.
    pub(crate) fn option() -> Self {
        Self::default()
    }

    /// Returns `file:line`, for a message that refers to a second place.
    pub(crate) fn short(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// The faults and notices of one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    faults: Vec<Diagnostic>,
    notices: Vec<Diagnostic>,
}

impl Report {
    /// Reports a fault: what is wrong, and what to do about it.
    pub(crate) fn fault(&mut self, place: &Place, message: impl Into<String>) {
        self.faults.push(diagnostic(place, message));
    }

    /// Reports a notice: what was inferred or left out.
    pub(crate) fn notice(&mut self, place: &Place, message: impl Into<String>) {
        self.notices.push(diagnostic(place, message));
    }

    /// Returns the notices, or the faults if there are any; both sorted in the order
    /// of `files`.
    pub(crate) fn finish<'a>(
        self,
        files: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Vec<Diagnostic>, Diagnostics> {
        if !self.faults.is_empty() {
            return Err(Diagnostics::sorted(self.faults, files));
        }
        Ok(Diagnostics::sorted(self.notices, files).into_iter().collect())
    }
}

fn diagnostic(place: &Place, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(place.file.clone(), place.line, place.column, message)
}
