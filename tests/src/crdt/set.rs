//! [`Set`]: a set from which is removed what was observed.
//!
//! Invariant: an element is there if it was added by an event that no removal
//! has seen.

use std::collections::BTreeMap;

use riak_runtime::Blob;

use super::change::SetChange;
use super::clock::{Causality, Event};
use crate::erlang::text;
use crate::refusal::Refusal;

/// A set: its elements, and the event that has last added each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    elements: BTreeMap<Blob, Event>,
}

impl Set {
    /// Adds, then removes. `event` gives the event of the next addition: one for
    /// each in a set of its own, the same for all in a map.
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
            None if causality == Causality::Blind => {
                return Err(Refusal::NotPresent(text::binary(element)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes all that was seen.
    pub(crate) fn reset(&mut self, causality: Causality) {
        self.elements.retain(|_, added| !causality.covers(*added));
    }

    /// Its elements, sorted as a real node answers them.
    pub(crate) fn value(&self) -> Vec<Blob> {
        self.elements.keys().cloned().collect()
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = (&Blob, &Event)> {
        self.elements.iter()
    }
}
