//! [`Set`]: a set with observed-remove semantics.
//!
//! Invariant: an element exists if some event added it that no removal has seen.

use std::collections::BTreeMap;

use riak_runtime::Blob;

use super::change::SetChange;
use super::clock::{Causality, Event};
use crate::erlang::text;
use crate::refusal::Refusal;

/// A set: its elements, each with the event that last added it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    elements: BTreeMap<Blob, Event>,
}

impl Set {
    /// Adds elements, then removes elements. `event` returns the event of the next
    /// addition: a new one for each in a top-level set, the same for all in a map.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPresent`].
    pub(crate) fn update(
        &mut self,
        change: &SetChange,
        mut event: impl FnMut() -> Event,
        causality: Causality,
    ) -> Result<(), Refusal> {
        for element in &change.adds {
            self.elements.insert(element.clone(), event());
        }
        for element in &change.removes {
            self.remove(element, causality)?;
        }
        Ok(())
    }

    fn remove(&mut self, element: &Blob, causality: Causality) -> Result<(), Refusal> {
        match self.elements.get(element) {
            Some(added) if causality.covers(*added) => {
                self.elements.remove(element);
            }
            None if causality == Causality::WithoutContext => {
                return Err(Refusal::NotPresent(text::binary(element)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes everything that the causality covers.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.elements.retain(|_, added| !causality.covers(*added));
    }

    /// Returns the elements, sorted as in the answer of a real node.
    pub(crate) fn value(&self) -> Vec<Blob> {
        self.elements.keys().cloned().collect()
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = (&Blob, &Event)> {
        self.elements.iter()
    }
}
