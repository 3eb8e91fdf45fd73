//! What resolving found to say: faults, which fail the run, and notices.
//!
//! Invariant: nothing is dropped and nothing stops early; every fault of a run
//! ends up here.

use crate::diagnostic::{Diagnostic, Diagnostics};

/// A place in a source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as importers write its name; empty for the options of a run.
    pub(crate) file: String,
    /// Counted from 1; 0 where it is not known.
    pub(crate) line: u32,
    /// Counted from 1; 0 where it is not known.
    pub(crate) column: u32,
}

impl Place {
    /// Nowhere in a file: an option of the run.
    pub(crate) fn option() -> Self {
        Self::default()
    }

    /// For a message that points to a second place: `file:line`.
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
    /// Says what is wrong, and what to do.
    pub(crate) fn fault(&mut self, place: &Place, message: impl Into<String>) {
        self.faults.push(diagnostic(place, message));
    }

    /// Says what was done without being asked for, or left out.
    pub(crate) fn notice(&mut self, place: &Place, message: impl Into<String>) {
        self.notices.push(diagnostic(place, message));
    }

    /// The notices if there is no fault, else the faults; both in reading
    /// order of `files`.
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
