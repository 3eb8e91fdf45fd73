//! [`Register`]: a register of a map, in which the last write wins.
//!
//! Invariant: the value is the one with the latest time of the node's clock; of two
//! with the same time, the one that was assigned later.

use std::time::Duration;

use riak_runtime::Blob;

/// A register of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Register {
    /// The value. An update without a value leaves `None`, which Riak stores as such.
    value: Option<Blob>,
    written: Duration,
}

impl Register {
    /// Assigns a value, unless the register has a later one.
    pub(crate) fn assign(&mut self, value: Option<&Blob>, now: Duration) {
        if now >= self.written {
            *self = Self { value: value.cloned(), written: now };
        }
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> Option<&Blob> {
        self.value.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_wins() {
        let mut register = Register::default();
        let [one, two, three] = ["1", "2", "3"].map(Blob::from);
        register.assign(Some(&one), Duration::from_secs(2));
        register.assign(Some(&two), Duration::from_secs(2));
        register.assign(Some(&three), Duration::from_secs(1));
        assert_eq!(register.value(), Some(&two));
        register.assign(None, Duration::from_secs(2));
        assert_eq!(register.value(), None);
    }
}
