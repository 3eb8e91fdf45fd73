//! [`Members`]: the connections that unary calls share.
//!
//! Which of them gets a call, whether one more is wanted, and which have had
//! their time. No clock, no sockets and no lock in here. Invariant: a member
//! that is taken out stays open for the calls that it carries, and gets no more.
//!
//! A connection that has died shows nothing but that answers are owed on it. So
//! these weigh heavily, twice as much with each: it gets next to no calls, and
//! one that is only slow gets them again as it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// For how long a connection may owe answers and give none: then it is taken for
/// dead. Much longer than most answers take, and than what it costs to be wrong,
/// one connect.
const SILENCE: Duration = Duration::from_secs(5);

/// What is known of a connection besides the calls on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    pub(super) broken: bool,
    /// Answers that nobody waits for any more.
    pub(super) owed: usize,
    /// Answers that have come.
    pub(super) answered: u64,
}

/// A connection, and how many of its calls are over.
#[derive(Debug)]
pub(super) struct Member<C> {
    pub(super) connection: C,
    /// The calls themselves are counted where members are taken, under a lock that
    /// is held there anyway: so that a call changes what cores share once less.
    over: AtomicUsize,
}

impl<C> Member<C> {
    /// A call on it is over.
    ///
    /// In one order with [`Members::in_flight`] for all threads: who ends a call
    /// and then looks whether somebody waits for that, and who says that he waits
    /// and then looks whether calls are left, must not both see what was before.
    pub(super) fn release(&self) {
        self.over.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Entry<C> {
    member: Arc<Member<C>>,
    /// How many calls it has had.
    calls: usize,
    /// When it is taken out whatever happens.
    retires: Option<Instant>,
    /// How many calls it had had when nobody had used it since then.
    idle: (usize, Instant),
    /// How many answers had come, and since when it has owed some and given none.
    silent: Option<(u64, Instant)>,
}

impl<C> Entry<C> {
    /// How many calls were taken and not released.
    fn in_flight(&self) -> usize {
        // See `Member::release`. No call is over that was not counted before.
        self.calls.wrapping_sub(self.member.over.load(Ordering::SeqCst))
    }

    /// Whether it has been silent for too long.
    fn is_silent(&mut self, signs: Signs, now: Instant) -> bool {
        match self.silent {
            _ if signs.owed == 0 => self.silent = None,
            Some((answered, since)) if answered == signs.answered => {
                return now.saturating_duration_since(since) >= SILENCE;
            }
            _ => self.silent = Some((signs.answered, now)),
        }
        false
    }
}

#[derive(Debug)]
pub(super) struct Members<C> {
    entries: Vec<Entry<C>>,
    /// Those that were taken out and still carry calls.
    leaving: Vec<Entry<C>>,
}

impl<C> Members<C> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), leaving: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Calls that were taken and not released, on those that are in and on those
    /// that were taken out.
    pub(super) fn in_flight(&self) -> usize {
        self.entries.iter().chain(&self.leaving).map(Entry::in_flight).sum()
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = &C> {
        self.entries.iter().map(|entry| &entry.member.connection)
    }

    pub(super) fn add(&mut self, connection: C, now: Instant, retires: Option<Instant>) {
        let member = Arc::new(Member { connection, over: AtomicUsize::new(0) });
        self.entries.push(Entry { member, calls: 0, retires, idle: (0, now), silent: None });
    }

    /// The member with the fewest calls, for one more, and its load: how many it
    /// had, and for answers owed several times the `target`.
    ///
    /// The first of equals: with little to do, the others become idle.
    pub(super) fn take(
        &mut self,
        target: usize,
        owed: impl Fn(&C) -> usize,
    ) -> Option<(Arc<Member<C>>, usize)> {
        let mut best: Option<(&mut Entry<C>, usize)> = None;
        for entry in &mut self.entries {
            let debt = match owed(&entry.member.connection) {
                0 => 0,
                owed => target.max(1).saturating_mul(2 << owed.min(16)),
            };
            let load = entry.in_flight().saturating_add(debt);
            if best.as_ref().is_none_or(|(_, least)| load < *least) {
                best = Some((entry, load));
                if load == 0 {
                    break;
                }
            }
        }
        let (entry, load) = best?;
        entry.calls = entry.calls.wrapping_add(1);
        Some((Arc::clone(&entry.member), load))
    }

    /// Takes a member out that gets no more calls.
    pub(super) fn remove(&mut self, member: &Arc<Member<C>>) {
        let removed = self.entries.extract_if(.., |entry| Arc::ptr_eq(&entry.member, member));
        self.leaving.extend(removed);
    }

    /// Takes out who has had its time, who is broken or seems dead, and who is
    /// idle for too long and not needed for the minimum.
    pub(super) fn sweep(
        &mut self,
        now: Instant,
        idle: Option<Duration>,
        min: usize,
        signs: impl Fn(&C) -> Signs,
    ) -> Vec<Arc<Member<C>>> {
        let done: Vec<_> = self.leaving.extract_if(.., |entry| entry.in_flight() == 0).collect();
        let mut out: Vec<_> = self
            .entries
            .extract_if(.., |entry| {
                let signs = signs(&entry.member.connection);
                signs.broken
                    || entry.retires.is_some_and(|retires| retires <= now)
                    || entry.is_silent(signs, now)
            })
            .collect();
        let mut spare = self.entries.len().saturating_sub(min);
        // The last ones first: they are the ones that are not needed.
        for index in (0..self.entries.len()).rev() {
            let entry = &mut self.entries[index];
            if entry.in_flight() != 0 || entry.calls != entry.idle.0 {
                entry.idle = (entry.calls, now);
            } else if spare > 0
                && idle.is_some_and(|idle| now.saturating_duration_since(entry.idle.1) >= idle)
            {
                spare -= 1;
                out.push(self.entries.remove(index));
            }
        }
        let gone = done.iter().chain(&out).map(|entry| Arc::clone(&entry.member)).collect();
        self.leaving.extend(out.into_iter().filter(|entry| entry.in_flight() != 0));
        gone
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) -> Vec<Arc<Member<C>>> {
        self.entries.drain(..).chain(self.leaving.drain(..)).map(|entry| entry.member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(count: usize, now: Instant) -> Members<usize> {
        let mut members = Members::new();
        for number in 0..count {
            members.add(number, now, None);
        }
        members
    }

    #[test]
    fn the_least_loaded_is_taken_and_the_first_of_equals() {
        let mut members = members(3, Instant::now());
        let taken: Vec<_> = (0..7).map(|_| members.take(4, |_| 0).unwrap()).collect();
        let order: Vec<_> = taken.iter().map(|(member, load)| (member.connection, *load)).collect();
        assert_eq!(order, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2)]);
        taken[1].0.release();
        taken[4].0.release();
        assert_eq!(members.take(4, |_| 0).unwrap().0.connection, 1);
        assert_eq!(members.in_flight(), 6);
    }

    #[test]
    fn who_owes_answers_is_left_alone_and_is_known_to_be_busy() {
        let mut members = members(2, Instant::now());
        let owed = |owed: usize| move |&number: &usize| if number == 0 { owed } else { 0 };
        // Full at once, whatever a connection is to carry.
        for target in [0, 1, 4, 1000] {
            let mut one = self::members(1, Instant::now());
            assert!(one.take(target, owed(1)).unwrap().1 >= target.max(1) * 4);
        }
        for _ in 0..60 {
            assert_eq!(members.take(4, owed(3)).unwrap().0.connection, 1);
        }
        // Dead ones that get a call now and then get it ever more rarely.
        for _ in 0..100 {
            assert_eq!(members.take(4, owed(5)).unwrap().0.connection, 1);
        }
        assert_eq!(members.take(4, owed(0)).unwrap().0.connection, 0);
        assert!(members.take(usize::MAX, |_| usize::MAX).is_some());
    }

    #[test]
    fn who_owes_answers_and_gives_none_goes() {
        let start = Instant::now();
        let mut members = members(3, start);
        let mut sweep = |seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            // The first is dead, the second answers, the third owes nothing.
            let gone = members.sweep(now, None, 3, |&number| match number {
                0 => Signs { owed: 1, ..Signs::default() },
                1 => Signs { owed: 1, answered: seconds, ..Signs::default() },
                _ => Signs::default(),
            });
            gone.iter().map(|member| member.connection).collect::<Vec<_>>()
        };
        assert!((1..6).all(|seconds| sweep(seconds).is_empty()));
        assert_eq!(sweep(6), [0]);
        assert!((7..20).all(|seconds| sweep(seconds).is_empty()));
    }

    #[test]
    fn idle_ones_go_but_for_the_minimum_and_busy_ones_stay() {
        let (start, idle) = (Instant::now(), Some(Duration::from_secs(10)));
        let mut members = members(4, start);
        let busy = members.take(4, |_| 0).unwrap().0;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(members.sweep(at(9), idle, 1, |_| Signs::default()).is_empty());
        let gone: Vec<_> =
            members.sweep(at(10), idle, 2, |_| Signs::default()).iter().map(|m| m.connection).collect();
        assert_eq!(gone, [3, 2]);
        // It was busy when it was last looked at: its idle time begins now.
        busy.release();
        assert_eq!(members.sweep(at(19), idle, 0, |_| Signs::default()).len(), 1);
        assert_eq!(members.len(), 1);
        assert!(members.sweep(at(20), idle, 0, |_| Signs::default()).len() == 1 && members.len() == 0);
    }

    #[test]
    fn what_is_old_or_broken_goes_even_if_busy() {
        let start = Instant::now();
        let mut members = Members::new();
        members.add(0, start, Some(start + Duration::from_secs(1)));
        members.add(1, start, None);
        members.add(2, start, None);
        let old = members.take(4, |_| 0).unwrap().0;
        let gone = members.sweep(start + Duration::from_secs(1), None, 3, |&number| Signs {
            broken: number == 2,
            ..Signs::default()
        });
        assert_eq!(gone.iter().map(|member| member.connection).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(members.take(4, |_| 0).unwrap().0.connection, 1);
        // It is waited for until it has been released, and forgotten then.
        assert_eq!((members.in_flight(), members.leaving.len()), (2, 1));
        old.release();
        assert_eq!(members.in_flight(), 1);
        members.sweep(start, None, 3, |_| Signs::default());
        assert!(members.leaving.is_empty());
    }
}
