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
        let is_probe = !member.is_up() && member.start_probe(now);
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
