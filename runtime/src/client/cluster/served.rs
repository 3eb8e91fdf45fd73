//! [`ServedRequests`]: the kinds of requests that a node, or some node of a cluster, has
//! served.
//!
//! A node that does not serve a request is either starting, and will serve it soon, or
//! of a release that never will. Only the first says that it should be left alone.
//!
//! Invariant: a kind that was added once stays.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::operation::Operation;

/// A set of kinds of requests.
#[derive(Debug, Default)]
pub(super) struct ServedRequests {
    /// One bit for each message code.
    codes: [AtomicU64; 4],
    /// Whether any of them was served by more than a node's API.
    has_started: AtomicBool,
}

impl ServedRequests {
    /// Reports whether requests of this kind have been served.
    pub(super) fn contains(&self, operation: &Operation) -> bool {
        let (word, bit) = place(operation.request);
        self.codes[word].load(Ordering::Relaxed) & bit != 0
    }

    /// Reports whether the services behind a node's API have served any request.
    pub(super) fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Relaxed)
    }

    /// Adds a kind of request. Returns whether it is new.
    pub(super) fn insert(&self, operation: &Operation) -> bool {
        // Each bit is written once; after that, all cores only read the cache line.
        if self.contains(operation) {
            return false;
        }
        let (word, bit) = place(operation.request);
        self.codes[word].fetch_or(bit, Ordering::Relaxed);
        if operation.served_by != Some("api") {
            self.has_started.store(true, Ordering::Relaxed);
        }
        true
    }
}

/// Returns the word and the bit of a message code.
fn place(code: u8) -> (usize, u64) {
    (usize::from(code >> 6), 1 << (code & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::outgoing::tests::CONDITIONAL;

    fn operation(request: u8, served_by: Option<&'static str>) -> Operation {
        Operation { request, served_by, ..CONDITIONAL.clone() }
    }

    #[test]
    fn kinds_of_requests_are_added_once() {
        let served = ServedRequests::default();
        for code in [0, 9, 63, 64, 255] {
            let get = operation(code, Some("kv"));
            assert!(!served.contains(&get));
            assert!(served.insert(&get) && !served.insert(&get));
            assert!(served.contains(&get));
        }
        assert!(!served.contains(&operation(10, Some("kv"))));
    }

    #[test]
    fn an_answer_of_the_api_does_not_show_that_a_node_has_started() {
        let served = ServedRequests::default();
        served.insert(&operation(1, Some("api")));
        assert!(!served.has_started());
        served.insert(&operation(9, None));
        assert!(served.has_started());
    }
}
