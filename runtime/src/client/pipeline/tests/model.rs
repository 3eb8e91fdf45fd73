//! A minimal model of the pipeline: what each caller has yet to observe.

use std::collections::VecDeque;

use super::{Kind, MAX_IN_FLIGHT, MAX_OWED, Seen};

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Each call's kind, and what its caller has yet to observe; `None` when the caller
    /// has observed the end or has dropped the call.
    pub(super) calls: Vec<(Kind, Option<Vec<Seen>>)>,
    pub(super) waiting: VecDeque<usize>,
    /// Requests in flight: the call's index, whether its caller waits, and whether the
    /// request was written.
    pub(super) in_flight: VecDeque<(usize, bool, bool)>,
    pub(super) refuses: bool,
    pub(super) closed: bool,
}

impl Model {
    /// Adds an observation for a call's caller.
    pub(super) fn see(&mut self, call: usize, seen: Seen) {
        self.calls[call].1.as_mut().expect("its caller waits").push(seen);
    }

    /// Sends waiting calls as far as allowed.
    pub(super) fn start(&mut self) {
        while let Some(&call) = self.waiting.front() {
            let exclusive = self.calls[call].0.is_exclusive();
            let room = match self.in_flight.back() {
                None => true,
                Some(&(last, ..)) => {
                    !exclusive && !self.calls[last].0.is_exclusive() && self.in_flight.len() < MAX_IN_FLIGHT
                }
            };
            if !room {
                break;
            }
            self.waiting.pop_front();
            self.in_flight.push_back((call, true, false));
        }
    }

    pub(super) fn stop_accepting(&mut self) {
        self.refuses = true;
        for call in std::mem::take(&mut self.waiting) {
            self.see(call, Seen::NotSent);
        }
    }

    pub(super) fn close(&mut self) {
        self.stop_accepting();
        self.closed = true;
        for (call, awaited, written) in std::mem::take(&mut self.in_flight) {
            if awaited {
                self.see(call, if written { Seen::Lost } else { Seen::NotSent });
            }
        }
    }

    /// Applies what follows from an event.
    pub(super) fn settle(&mut self) {
        let owed = self.in_flight.iter().filter(|(_, awaited, _)| !awaited).count();
        if owed > MAX_OWED {
            self.stop_accepting();
        }
        if self.refuses && owed == self.in_flight.len() {
            self.close();
        }
        self.start();
    }

    /// Applies the server's answer to its oldest request.
    pub(super) fn answer(&mut self, seen: Seen, last: bool) {
        let (call, awaited, _) = self.in_flight[0];
        if awaited {
            let unary = self.calls[call].0 != Kind::Stream;
            let is_frame = matches!(seen, Seen::Frame(_));
            self.see(call, seen);
            if last && is_frame && !unary {
                self.see(call, Seen::End);
            }
        }
        if last {
            self.in_flight.pop_front();
        }
    }

    pub(super) fn drop_call(&mut self, call: usize) {
        self.calls[call].1 = None;
        if let Some(index) = self.waiting.iter().position(|&waiting| waiting == call) {
            self.waiting.remove(index);
        } else if let Some(request) = self.in_flight.iter_mut().find(|request| request.0 == call) {
            request.1 = false;
            if self.calls[call].0.is_exclusive() {
                self.close();
            }
        }
    }

    pub(super) fn expire(&mut self) {
        for call in self.waiting.clone() {
            self.see(call, Seen::Timeout(false));
        }
        self.waiting.clear();
        for (call, awaited, written) in self.in_flight.clone() {
            if awaited {
                // The request will still be written, unless its timeout closes the connection.
                self.see(call, Seen::Timeout(written || !self.calls[call].0.is_exclusive()));
                let seen = self.calls[call].1.take();
                self.drop_call(call);
                self.calls[call].1 = seen;
            }
        }
    }
}
