//! How long a delete leaves a mark: [`DeleteMode`], and the marks that wait.
//!
//! Invariant: a tombstone is only reaped while nothing was written to its key
//! since.

use std::time::Duration;

use riak_runtime::Blob;

use crate::vclock::Vclock;

/// How long tombstones stay: Riak's setting of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteMode {
    /// For ever.
    Keep,
    /// Not at all.
    Immediate,
    /// For this long, as the node's [`Clock`](crate::Clock) sees it. Riak's
    /// default is three seconds.
    After(Duration),
}

impl Default for DeleteMode {
    fn default() -> Self {
        Self::After(Duration::from_secs(3))
    }
}

impl DeleteMode {
    /// When a tombstone that was seen at `now` is due; `None` for never.
    fn due(self, now: Duration) -> Option<Duration> {
        match self {
            Self::Keep => None,
            Self::Immediate => Some(now),
            Self::After(delay) => Some(now.saturating_add(delay)),
        }
    }
}

/// A tombstone that waits to be reaped.
#[derive(Clone, Debug)]
pub(crate) struct Doomed {
    due: Duration,
    /// Bucket type and bucket.
    pub(crate) place: (Blob, Blob),
    pub(crate) key: Blob,
    /// What its clock has to be still.
    pub(crate) clock: Vclock,
}

/// The tombstones that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reaper {
    mode: DeleteMode,
    doomed: Vec<Doomed>,
}

impl Reaper {
    /// With no tombstones yet.
    pub(crate) fn new(mode: DeleteMode) -> Self {
        Self { mode, doomed: Vec::new() }
    }

    /// Notes a tombstone. One that is noted already stays due when it was.
    pub(crate) fn doom(&mut self, now: Duration, place: &(Blob, Blob), key: &Blob, clock: &Vclock) {
        let known = |doomed: &Doomed| doomed.key == *key && doomed.place == *place && doomed.clock == *clock;
        if let Some(due) = self.mode.due(now)
            && !self.doomed.iter().any(known)
        {
            self.doomed.push(Doomed { due, place: place.clone(), key: key.clone(), clock: clock.clone() });
        }
    }

    /// Those that are due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<Doomed> {
        self.doomed.extract_if(.., |doomed| doomed.due <= now).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_are_due_once_and_in_time() {
        let second = Duration::from_secs(1);
        let almost = Duration::from_nanos(3_999_999_999);
        let place = (Blob::from("t"), Blob::from("b"));
        let doom = |mode| {
            let mut reaper = Reaper::new(mode);
            reaper.doom(second, &place, &"k".into(), &Vclock::default());
            reaper.doom(second * 2, &place, &"k".into(), &Vclock::default());
            reaper
        };
        assert_eq!(doom(DeleteMode::Keep).take_due(Duration::MAX).len(), 0);
        assert_eq!(doom(DeleteMode::Immediate).take_due(second).len(), 1);
        let mut later = doom(DeleteMode::default());
        assert_eq!(later.take_due(almost).len(), 0);
        assert_eq!(later.take_due(second * 4).len(), 1);
        assert_eq!(later.take_due(Duration::MAX).len(), 0);
    }
}
