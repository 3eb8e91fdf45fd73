//! [`Flag`]: on or off, where on wins.
//!
//! Invariant: a flag stays on that was switched on again since it was seen.

use super::clock::{Causality, Event};

/// A flag of a map: the event that has last switched it on, if it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(Option<Event>);

impl Flag {
    /// Switches it on.
    pub(crate) fn enable(&mut self, event: Event) {
        self.0 = Some(event);
    }

    /// Switches it off, as far as that was seen. One that is off stays off.
    pub(crate) fn disable(&mut self, causality: Causality) {
        self.0 = self.0.filter(|event| !causality.covers(*event));
    }

    /// Whether it is on.
    pub(crate) fn value(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_wins() {
        let mut flag = Flag::default();
        assert!(!flag.value());
        flag.disable(Causality::Blind);
        flag.enable(1);
        flag.enable(2);
        flag.disable(Causality::Seen(1));
        assert!(flag.value());
        flag.disable(Causality::Seen(2));
        assert!(!flag.value());
        flag.enable(3);
        flag.disable(Causality::Blind);
        assert!(!flag.value());
    }
}
