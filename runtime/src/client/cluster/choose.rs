//! Which node gets the next attempt at a call.
//!
//! Candidates in order of preference: for a short call that may be repeated
//! elsewhere, a node whose probe is due; for any other call, a node whose probe has
//! been due for long without being made; the nodes that are up, as the balance
//! chooses; the nodes that are down, since one of them may be back. Invariant: a
//! node at which the call has failed is left out as long as there is another one.

use std::sync::Arc;
use std::time::Instant;

use super::super::balance::Candidate;
use super::super::tried::Attempt;
use super::Inner;
use super::member::Member;

impl Inner {
    /// Returns the next node and whether the attempt is its probe; `None` if there
    /// are no nodes.
    pub(super) fn choose(
        &self,
        members: &Arc<[Arc<Member>]>,
        failed: &[Attempt],
        may_probe: bool,
        now: Instant,
    ) -> Option<(Arc<Member>, bool)> {
        if let [only] = &**members {
            let is_probe = only.start_probe(now);
            return Some((Arc::clone(only), is_probe));
        }
        let untried = |member: &Arc<Member>| !failed.iter().any(|attempt| attempt.node == *member.node());
        if failed.is_empty() {
            let probe = if may_probe { members.iter().find(|member| member.start_probe(now)) } else { None };
            let trial = || members.iter().find(|member| !may_probe && member.admit_trial_call(now));
            if let Some(member) = probe.or_else(trial) {
                return Some((Arc::clone(member), may_probe));
            }
        }
        let up = |member: &Arc<Member>| member.is_up();
        let member = self
            .balance_among(members, now, |member| untried(member) && up(member))
            .or_else(|| self.balance_among(members, now, untried))
            .or_else(|| self.balance_among(members, now, up))
            .or_else(|| self.balance_among(members, now, |_| true))?;
        // Any call may find that the node is back, but a probe that cannot be bounded could
        // keep the others away.
        let is_probe = may_probe && !member.is_up() && member.start_probe(now);
        Some((Arc::clone(member), is_probe))
    }

    /// Returns the balance's choice among the eligible members; `None` if there are
    /// none.
    fn balance_among<'m>(
        &self,
        members: &'m [Arc<Member>],
        now: Instant,
        eligible: impl Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let candidates: Vec<Candidate<'m>> = members
            .iter()
            .filter(|member| eligible(member))
            .map(|member| Candidate {
                node: member.node(),
                in_flight: member.in_flight(),
                latency: member.latency(now),
                failed_percent: member.failed_percent(now),
            })
            .collect();
        let chosen = match candidates.as_slice() {
            [] => return None,
            [only] => only,
            [first, ..] => candidates.get(self.balance.choose(&candidates)).unwrap_or(first),
        };
        members.iter().find(|member| std::ptr::eq(member.node(), chosen.node))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::breaker::{BreakerConfig, Health};
    use super::super::super::connector::TcpConnector;
    use super::super::super::error::{CallError, ConnectionError};
    use super::super::member::ActiveAttempt;
    use super::super::{Cluster, ClusterConfig};
    use super::*;

    #[test]
    fn a_call_that_cannot_be_bounded_is_no_probe_even_if_all_nodes_are_down() {
        let nodes = ["a:1", "b:1"].map(|node| node.parse().unwrap());
        let cluster = Cluster::new(nodes, Arc::new(TcpConnector::default()), ClusterConfig::new());
        let (inner, start) = (&cluster.inner, Instant::now());
        let members = inner.members();
        let error = CallError::Lost(ConnectionError::Closed { within_frame: false });
        for member in members.iter() {
            ActiveAttempt::new(Arc::clone(member), false, true, start).failed(&error, Health::Down);
            assert!(!member.is_up());
        }
        let later = Instant::now() + BreakerConfig::new().open_min;
        for _ in 0..10 {
            let (_, is_probe) = inner.choose(&members, &[], false, later).unwrap();
            assert!(!is_probe);
        }
        for _ in 0..2 {
            let (_, is_probe) = inner.choose(&members, &[], true, later).unwrap();
            assert!(is_probe, "each node's probe is left for a call that can be bounded");
        }
        let (_, is_probe) = inner.choose(&members, &[], true, later).unwrap();
        assert!(!is_probe, "one probe at a time");
    }
}
