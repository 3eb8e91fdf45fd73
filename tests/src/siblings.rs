//! How a write meets what is stored: which versions survive, and what the
//! object's clock is then.
//!
//! Invariant: the resulting clock covers the write and, unless the last write
//! wins, all that was stored before.

use riak_client::riak::RpbBucketProps;

use crate::crdt::Crdt;
use crate::object::{Object, Sibling};
use crate::vclock::{Dot, Vclock};

/// What the bucket says about concurrent versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Concurrent versions are kept.
    pub(crate) allow_mult: bool,
    /// What is stored is not even looked at.
    pub(crate) last_write_wins: bool,
    /// Each version remembers its own write, so that a context removes exactly
    /// the versions that it has seen. Buckets of the type `default` lack it:
    /// there a context covers all that is stored, or nothing of it.
    pub(crate) dotted: bool,
}

impl Policy {
    /// The policy of a bucket with these properties.
    pub(crate) fn of(props: &RpbBucketProps, kind_is_default: bool) -> Self {
        Self {
            allow_mult: props.allow_mult == Some(true),
            last_write_wins: props.last_write_wins == Some(true),
            dotted: !kind_is_default,
        }
    }
}

/// The object after a write that follows what `context` covers.
pub(crate) fn written(
    stored: Option<&Object>,
    context: &Vclock,
    dot: Dot,
    mut version: Sibling,
    policy: Policy,
) -> Object {
    version.dot = Some(dot);
    let mut clock = context.clone();
    let mut siblings = Vec::new();
    if let Some(stored) = stored.filter(|_| !policy.last_write_wins) {
        clock.merge(&stored.clock);
        if policy.allow_mult {
            siblings = unseen(stored, context, policy.dotted);
        }
    }
    clock.add(dot);
    siblings.push(version);
    ordered(Object { clock, siblings })
}

/// The object after a version with its own history, from elsewhere, was put
/// next to what is stored.
pub(crate) fn replicated(
    stored: Option<&Object>,
    clock: Vclock,
    mut version: Sibling,
    policy: Policy,
) -> Object {
    version.dot = clock.latest();
    let Some(stored) = stored.filter(|stored| !policy.last_write_wins && !clock.descends(&stored.clock))
    else {
        return Object { clock, siblings: vec![version] };
    };
    if stored.clock.descends(&clock) {
        return stored.clone();
    }
    let mut siblings = unseen(stored, &clock, policy.dotted);
    siblings.push(version);
    if !policy.allow_mult {
        // The later one wins; of two of the same time, the one that came later.
        siblings.sort_by_key(Sibling::last_modified);
        siblings.drain(..siblings.len() - 1);
    }
    let mut merged = stored.clock.clone();
    merged.merge(&clock);
    ordered(Object { clock: merged, siblings })
}

/// The object after an update of a data type: it replaces the one of its kind,
/// which it was made of, and nothing else.
///
/// It has no write of its own, so that a delete removes it only if it has seen
/// all that is stored.
pub(crate) fn updated(stored: Option<&Object>, dot: Dot, version: Sibling, policy: Policy) -> Object {
    let kind = |sibling: &Sibling| sibling.crdt.as_ref().map(Crdt::kind);
    let mut clock = Vclock::default();
    let mut siblings = Vec::new();
    if let Some(stored) = stored.filter(|_| !policy.last_write_wins) {
        clock.merge(&stored.clock);
        siblings.extend(stored.siblings.iter().filter(|other| kind(other) != kind(&version)).cloned());
    }
    clock.add(dot);
    siblings.push(version);
    ordered(Object { clock, siblings })
}

/// The stored versions that a context has not seen.
fn unseen(stored: &Object, context: &Vclock, dotted: bool) -> Vec<Sibling> {
    let descends = context.descends(&stored.clock);
    let seen = |sibling: &&Sibling| match sibling.dot {
        Some(dot) if dotted => context.covers(dot),
        _ => descends,
    };
    stored.siblings.iter().filter(|sibling| !seen(sibling)).cloned().collect()
}

fn ordered(mut object: Object) -> Object {
    object.siblings.sort_by(|one, other| one.content.vtag.cmp(&other.content.vtag));
    object
}

#[cfg(test)]
mod tests {
    use riak_client::riak_kv::RpbContent;

    use super::*;

    const DOTTED: Policy = Policy { allow_mult: true, last_write_wins: false, dotted: true };
    const PLAIN: Policy = Policy { dotted: false, ..DOTTED };
    const SINGLE: Policy = Policy { allow_mult: false, ..PLAIN };
    const LAST: Policy = Policy { last_write_wins: true, ..PLAIN };

    fn version(name: &str) -> Sibling {
        let content = RpbContent { vtag: Some(name.into()), ..RpbContent::new(name) };
        Sibling { dot: None, content, entries: Vec::new(), crdt: None }
    }

    fn put(stored: Option<&Object>, context: &Vclock, counter: u64, policy: Policy) -> Object {
        let name = counter.to_string();
        written(stored, context, Dot { actor: 1, counter }, version(&name), policy)
    }

    fn values(object: &Object) -> Vec<String> {
        object.siblings.iter().map(|sibling| sibling.content.value.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn writes_without_a_context_are_siblings_where_the_bucket_keeps_them() {
        for (policy, expected) in
            [(DOTTED, &["1", "2"][..]), (PLAIN, &["1", "2"]), (SINGLE, &["2"]), (LAST, &["2"])]
        {
            let one = put(None, &Vclock::default(), 1, policy);
            assert_eq!(values(&put(Some(&one), &Vclock::default(), 2, policy)), expected, "{policy:?}");
        }
    }

    #[test]
    fn a_write_replaces_what_its_context_covers() {
        let one = put(None, &Vclock::default(), 1, DOTTED);
        let two = put(Some(&one), &Vclock::default(), 2, DOTTED);
        let three = put(Some(&two), &Vclock::default(), 3, DOTTED);
        assert_eq!(values(&put(Some(&three), &two.clock, 4, DOTTED)), ["3", "4"]);
        assert_eq!(values(&put(Some(&three), &three.clock, 4, DOTTED)), ["4"]);
    }

    #[test]
    fn without_dots_an_old_context_covers_nothing() {
        let one = put(None, &Vclock::default(), 1, PLAIN);
        let two = put(Some(&one), &Vclock::default(), 2, PLAIN);
        assert_eq!(values(&put(Some(&two), &one.clock, 3, PLAIN)), ["1", "2", "3"]);
        assert_eq!(values(&put(Some(&two), &two.clock, 3, PLAIN)), ["3"]);
    }

    #[test]
    fn a_clock_covers_the_write_and_what_was_stored() {
        let one = put(None, &Vclock::default(), 1, DOTTED);
        let two = put(Some(&one), &Vclock::default(), 2, DOTTED);
        assert!(two.clock.descends(&one.clock) && two.clock.covers(Dot { actor: 1, counter: 2 }));
    }

    #[test]
    fn replicated_versions_keep_their_history() {
        let one = put(None, &Vclock::default(), 1, DOTTED);
        let two = put(Some(&one), &one.clock, 2, DOTTED);
        // Older: nothing happens. Newer: it replaces.
        assert_eq!(values(&replicated(Some(&two), one.clock.clone(), version("1"), DOTTED)), ["2"]);
        let newer = replicated(Some(&one), two.clock.clone(), version("2"), DOTTED);
        assert_eq!((values(&newer), &newer.clock), (vec!["2".to_owned()], &two.clock));
        // Concurrent: both stay, or the later one.
        let mut elsewhere = Vclock::default();
        elsewhere.add(Dot { actor: 9, counter: 1 });
        assert_eq!(values(&replicated(Some(&two), elsewhere.clone(), version("x"), DOTTED)), ["2", "x"]);
        let mut older = version("x");
        let mut single = put(None, &Vclock::default(), 1, SINGLE);
        single.siblings[0].content.last_mod = Some(10);
        older.content.last_mod = Some(9);
        assert_eq!(values(&replicated(Some(&single), elsewhere, older, SINGLE)), ["1"]);
    }
}
