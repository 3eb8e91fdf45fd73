//! [`DeleteMode`], which says how long tombstones are kept, and [`Reaper`], the
//! queue of tombstones to be reaped.
//!
//! Invariant: a tombstone is reaped only if nothing has been written to its key
//! since.

use std::time::Duration;

use riak_runtime::Blob;

use crate::vclock::Vclock;

/// How long tombstones are kept: Riak's setting `delete_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteMode {
    /// Tombstones are kept forever.
    Keep,
    /// Tombstones are removed at once.
    Immediate,
    /// Tombstones are kept for this long by the node's [`Clock`](crate::Clock).
    /// Riak's default is three seconds.
    After(Duration),
}

impl Default for DeleteMode {
    fn default() -> Self {
        Self::After(Duration::from_secs(3))
    }
}

impl DeleteMode {
    /// Returns when a tombstone that was seen at `now` is due; `None` for never.
    fn due(self, now: Duration) -> Option<Duration> {
        match self {
            Self::Keep => None,
            Self::Immediate => Some(now),
            Self::After(delay) => Some(now.saturating_add(delay)),
        }
    }
}

/// A tombstone that is waiting to be reaped.
#[derive(Clone, Debug)]
pub(crate) struct PendingReap {
    due: Duration,
    /// Bucket type and bucket.
    pub(crate) bucket_id: (Blob, Blob),
    pub(crate) key: Blob,
    /// The tombstone's clock. If the object's clock differs, it was written since.
    pub(crate) clock: Vclock,
}

/// The queue of tombstones that are waiting to be reaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reaper {
    mode: DeleteMode,
    pending: Vec<PendingReap>,
}

impl Reaper {
    /// Creates an empty queue.
    pub(crate) fn new(mode: DeleteMode) -> Self {
        Self { mode, pending: Vec::new() }
    }

    /// Queues a tombstone. One that is queued already keeps its due time.
    pub(crate) fn schedule(&mut self, now: Duration, bucket_id: &(Blob, Blob), key: &Blob, clock: &Vclock) {
        let known = |pending: &PendingReap| {
            pending.key == *key && pending.bucket_id == *bucket_id && pending.clock == *clock
        };
        if let Some(due) = self.mode.due(now)
            && !self.pending.iter().any(known)
        {
            self.pending.push(PendingReap {
                due,
                bucket_id: bucket_id.clone(),
                key: key.clone(),
                clock: clock.clone(),
            });
        }
    }

    /// Removes and returns the tombstones that are due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<PendingReap> {
        self.pending.extract_if(.., |pending| pending.due <= now).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_queued_twice_is_due_once_and_at_its_first_time() {
        let second = Duration::from_secs(1);
        let almost = Duration::from_nanos(3_999_999_999);
        let bucket_id = (Blob::from("t"), Blob::from("b"));
        let schedule = |mode| {
            let mut reaper = Reaper::new(mode);
            reaper.schedule(second, &bucket_id, &"k".into(), &Vclock::default());
            reaper.schedule(second * 2, &bucket_id, &"k".into(), &Vclock::default());
            reaper
        };
        assert_eq!(schedule(DeleteMode::Keep).take_due(Duration::MAX).len(), 0);
        assert_eq!(schedule(DeleteMode::Immediate).take_due(second).len(), 1);
        let mut later = schedule(DeleteMode::default());
        assert_eq!(later.take_due(almost).len(), 0);
        assert_eq!(later.take_due(second * 4).len(), 1);
        assert_eq!(later.take_due(Duration::MAX).len(), 0);
    }
}
