//! [`Parts`]: the results of a scan, split into the parts in which they arrive.
//!
//! Invariant: the parts that arrive in time are complete and in order, and a scan
//! that runs out of time reports that after them.

use std::time::Duration;

/// The results of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts<T> {
    /// The parts. None of them is empty.
    pub(crate) parts: Vec<Vec<T>>,
    /// Whether the request's timeout expired before all parts arrived.
    pub(crate) timed_out: bool,
}

/// How the results of scans are split and timed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The maximum number of results in one part.
    pub(crate) part_size: usize,
    /// The time that each part counts towards a request's timeout.
    pub(crate) part_time: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        // A real node collects 100 keys before it sends them on.
        Self { part_size: 100, part_time: Duration::ZERO }
    }
}

impl Pace {
    /// Splits results into parts, and drops the parts that exceed the request's
    /// timeout in milliseconds. A timeout of 0 means none.
    pub(crate) fn apply<T>(self, results: Vec<Vec<T>>, timeout: Option<u32>) -> Parts<T> {
        let mut parts = Vec::new();
        for mut whole in results {
            while whole.len() > self.part_size.max(1) {
                let rest = whole.split_off(self.part_size.max(1));
                parts.push(std::mem::replace(&mut whole, rest));
            }
            if !whole.is_empty() {
                parts.push(whole);
            }
        }
        let limit = timeout.filter(|limit| *limit > 0).map(|limit| Duration::from_millis(limit.into()));
        let in_time = limit.map_or(usize::MAX, |limit| {
            limit
                .as_nanos()
                .checked_div(self.part_time.as_nanos())
                .map_or(usize::MAX, |parts| usize::try_from(parts).unwrap_or(usize::MAX))
        });
        let timed_out = parts.len() > in_time;
        parts.truncate(in_time);
        Parts { parts, timed_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_split_at_the_part_size() {
        let pace = Pace { part_size: 2, part_time: Duration::ZERO };
        let parts = pace.apply(vec![vec![1, 2, 3], vec![], vec![4]], Some(1));
        assert_eq!(parts, Parts { parts: vec![vec![1, 2], vec![3], vec![4]], timed_out: false });
    }

    #[test]
    fn parts_after_the_timeout_are_dropped() {
        let pace = Pace { part_size: 1, part_time: Duration::from_micros(400) };
        let parts = |timeout| pace.apply(vec![vec![1, 2, 3]], timeout);
        assert_eq!(parts(Some(1)), Parts { parts: vec![vec![1], vec![2]], timed_out: true });
        assert_eq!(parts(Some(2)).parts.len(), 3);
        assert!(!parts(Some(2)).timed_out && !parts(Some(0)).timed_out && !parts(None).timed_out);
    }
}
