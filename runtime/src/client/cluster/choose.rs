//! Which node gets the next attempt at a call.
//!
//! In this order: a node whose probe is due, if the call may be made again
//! elsewhere; the nodes that are up, as the balance chooses; the nodes that are
//! down, since one of them may be back. Invariant: a node that the call has
//! failed at is left out as long as there is another.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::super::balance::Candidate;
use super::super::tried::Attempt;
use super::Inner;
use super::member::Member;

impl Inner {
    /// The next node, and whether the attempt is its probe; `None` if there are
    /// no nodes.
    pub(super) fn choose(
        &self,
        members: &Arc<[Arc<Member>]>,
        failed: &[Attempt],
        safe: bool,
        now: Instant,
    ) -> Option<(Arc<Member>, bool)> {
        if let [only] = &**members {
            let probe = only.probe(now);
            return Some((Arc::clone(only), probe));
        }
        let fresh = |member: &&Arc<Member>| !failed.iter().any(|attempt| attempt.node == *member.node());
        if safe
            && failed.is_empty()
            && let Some(member) = members.iter().find(|member| member.probe(now))
        {
            return Some((Arc::clone(member), true));
        }
        let up = |member: &&Arc<Member>| member.is_up();
        let member = self
            .balanced(members.iter().filter(fresh).filter(up))
            .or_else(|| self.balanced(members.iter().filter(fresh)))
            .or_else(|| self.balanced(members.iter().filter(up)))
            .or_else(|| self.balanced(members.iter()))?;
        let probe = !member.is_up() && member.probe(now);
        Some((Arc::clone(member), probe))
    }

    fn balanced<'m>(&self, members: impl Iterator<Item = &'m Arc<Member>>) -> Option<&'m Arc<Member>> {
        let members: Vec<&Arc<Member>> = members.collect();
        match members.as_slice() {
            [] => None,
            [only] => Some(only),
            [first, ..] => {
                let candidates: Vec<Candidate<'_>> = members
                    .iter()
                    .map(|member| Candidate {
                        node: member.node(),
                        in_flight: member.in_flight.load(Ordering::Relaxed),
                        latency: member.latency(),
                    })
                    .collect();
                let chosen = self.balance.choose(&candidates);
                Some(members.get(chosen).unwrap_or(first))
            }
        }
    }
}
