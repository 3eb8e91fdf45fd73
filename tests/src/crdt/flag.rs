//! [`Flag`]: a flag of a map, in which enabling wins over a concurrent disabling.
//!
//! Invariant: a flag stays enabled if it was enabled again after the read that a
//! disabling update is based on.

use super::clock::{Causality, Event};

/// A flag of a map: the event that last enabled it, if it is enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(Option<Event>);

impl Flag {
    /// Enables the flag.
    pub(crate) fn enable(&mut self, event: Event) {
        self.0 = Some(event);
    }

    /// Disables the flag if the update has seen it enabled. Otherwise does nothing.
    pub(crate) fn disable(&mut self, causality: Causality) {
        self.0 = self.0.filter(|event| !causality.covers(*event));
    }

    /// Reports whether the flag is enabled.
    pub(crate) fn value(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enabling_wins_over_a_concurrent_disabling() {
        let mut flag = Flag::default();
        assert!(!flag.value());
        flag.disable(Causality::WithoutContext);
        flag.enable(1);
        flag.enable(2);
        flag.disable(Causality::Seen(1));
        assert!(flag.value());
        flag.disable(Causality::Seen(2));
        assert!(!flag.value());
        flag.enable(3);
        flag.disable(Causality::WithoutContext);
        assert!(!flag.value());
    }
}
