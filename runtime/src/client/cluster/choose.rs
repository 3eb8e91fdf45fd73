//! Which node gets the next attempt at a call.
//!
//! In this order: a node whose probe is due, if the call may be made again
//! elsewhere and is a short one; one that nobody has tried for longer, if not;
//! the nodes that are up, as the balance chooses; the nodes that are
//! down, since one of them may be back. Invariant: a node that the call has
//! failed at is left out as long as there is another.

use std::sync::Arc;
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
        may_probe: bool,
        now: Instant,
    ) -> Option<(Arc<Member>, bool)> {
        if let [only] = &**members {
            let probe = only.probe(now);
            return Some((Arc::clone(only), probe));
        }
        let fresh = |member: &Arc<Member>| !failed.iter().any(|attempt| attempt.node == *member.node());
        if failed.is_empty() {
            let probe = if may_probe { members.iter().find(|member| member.probe(now)) } else { None };
            let knock = || members.iter().find(|member| !may_probe && member.knock(now));
            if let Some(member) = probe.or_else(knock) {
                return Some((Arc::clone(member), may_probe));
            }
        }
        let up = |member: &Arc<Member>| member.is_up();
        let member = self
            .balanced(members, now, |member| fresh(member) && up(member))
            .or_else(|| self.balanced(members, now, fresh))
            .or_else(|| self.balanced(members, now, up))
            .or_else(|| self.balanced(members, now, |_| true))?;
        let probe = !member.is_up() && member.probe(now);
        Some((Arc::clone(member), probe))
    }

    /// Who of them gets the call; `None` if no member is one of `those`.
    fn balanced<'m>(
        &self,
        members: &'m [Arc<Member>],
        now: Instant,
        those: impl Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let candidates: Vec<Candidate<'m>> = members
            .iter()
            .filter(|member| those(member))
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
