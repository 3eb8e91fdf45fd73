//! [`Parts`]: the results of a scan, in the parts in which they arrive.
//!
//! Invariant: what arrives in time is complete and in order; a scan that runs
//! out of time says so after it.

use std::time::Duration;

/// The results of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts<T> {
    /// None of them is empty.
    pub(crate) parts: Vec<Vec<T>>,
    /// The request's time was over before the rest arrived.
    pub(crate) timed_out: bool,
}

/// How scans arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The most results of one part.
    pub(crate) part_size: usize,
    /// How long a part takes, as far as the timeouts of requests go.
    pub(crate) part_time: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        // A real node collects 100 keys before it sends them on.
        Self { part_size: 100, part_time: Duration::ZERO }
    }
}

impl Pace {
    /// Cuts results to parts, and drops what comes after the request's timeout,
    /// in milliseconds. 0 is none.
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
    fn results_come_in_parts_of_the_size() {
        let pace = Pace { part_size: 2, part_time: Duration::ZERO };
        let parts = pace.apply(vec![vec![1, 2, 3], vec![], vec![4]], Some(1));
        assert_eq!(parts, Parts { parts: vec![vec![1, 2], vec![3], vec![4]], timed_out: false });
    }

    #[test]
    fn what_comes_too_late_does_not_come() {
        let pace = Pace { part_size: 1, part_time: Duration::from_micros(400) };
        let parts = |timeout| pace.apply(vec![vec![1, 2, 3]], timeout);
        assert_eq!(parts(Some(1)), Parts { parts: vec![vec![1], vec![2]], timed_out: true });
        assert_eq!(parts(Some(2)).parts.len(), 3);
        assert!(!parts(Some(2)).timed_out && !parts(Some(0)).timed_out && !parts(None).timed_out);
    }
}
