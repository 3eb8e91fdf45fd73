//! The effect of a write on an object: which versions survive, and the new clock.
//!
//! Invariant: the new clock covers the write and, unless the last write wins,
//! everything that was stored before.

use riak_client::riak::RpbBucketProps;

use crate::crdt::Crdt;
use crate::object::{Object, Sibling};
use crate::vclock::{Dot, Vclock};

/// The properties of a bucket that decide about concurrent versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Whether concurrent versions are kept.
    pub(crate) allow_mult: bool,
    /// Whether a write ignores what is stored.
    pub(crate) last_write_wins: bool,
    /// Whether each version records the write that created it, so that a context
    /// removes exactly the versions that it has seen. Buckets of the type `default`
    /// lack this: there, a context covers all stored versions or none.
    pub(crate) dotted: bool,
}

impl Policy {
    /// Returns the policy of a bucket with these properties.
    pub(crate) fn of(props: &RpbBucketProps, kind_is_default: bool) -> Self {
        Self {
            allow_mult: props.allow_mult == Some(true),
            last_write_wins: props.last_write_wins == Some(true),
            dotted: !kind_is_default,
        }
    }
}

/// Returns the object after a write with this causal context.
pub(crate) fn after_write(
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
    with_sorted_siblings(Object { clock, siblings })
}

/// Returns the object after a version with a history of its own, written elsewhere,
/// was put beside the stored versions.
pub(crate) fn after_replication(
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
        // The later version wins; of two with the same time, the new one.
        siblings.sort_by_key(Sibling::last_modified);
        siblings.drain(..siblings.len() - 1);
    }
    let mut merged = stored.clock.clone();
    merged.merge(&clock);
    with_sorted_siblings(Object { clock: merged, siblings })
}

/// Returns the object after an update of a data type, which replaces only the version
/// of the same kind.
///
/// The new version has no dot, so a delete removes it only if its context covers
/// everything that is stored.
pub(crate) fn after_update(stored: Option<&Object>, dot: Dot, version: Sibling, policy: Policy) -> Object {
    let kind = |sibling: &Sibling| sibling.crdt.as_ref().map(Crdt::kind);
    let mut clock = Vclock::default();
    let mut siblings = Vec::new();
    if let Some(stored) = stored.filter(|_| !policy.last_write_wins) {
        clock.merge(&stored.clock);
        siblings.extend(stored.siblings.iter().filter(|other| kind(other) != kind(&version)).cloned());
    }
    clock.add(dot);
    siblings.push(version);
    with_sorted_siblings(Object { clock, siblings })
}

/// Returns the stored versions that a context has not seen.
fn unseen(stored: &Object, context: &Vclock, dotted: bool) -> Vec<Sibling> {
    let descends = context.descends(&stored.clock);
    let seen = |sibling: &&Sibling| match sibling.dot {
        Some(dot) if dotted => context.covers(dot),
        _ => descends,
    };
    stored.siblings.iter().filter(|sibling| !seen(sibling)).cloned().collect()
}

fn with_sorted_siblings(mut object: Object) -> Object {
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
        after_write(stored, context, Dot { actor: 1, counter }, version(&name), policy)
    }

    fn values(object: &Object) -> Vec<String> {
        object.siblings.iter().map(|sibling| sibling.content.value.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn writes_without_a_context_become_siblings_if_the_bucket_allows_them() {
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
        // An older version has no effect; a newer one replaces.
        assert_eq!(values(&after_replication(Some(&two), one.clock.clone(), version("1"), DOTTED)), ["2"]);
        let newer = after_replication(Some(&one), two.clock.clone(), version("2"), DOTTED);
        assert_eq!((values(&newer), &newer.clock), (vec!["2".to_owned()], &two.clock));
        // Of concurrent versions, both stay, or only the later one.
        let mut elsewhere = Vclock::default();
        elsewhere.add(Dot { actor: 9, counter: 1 });
        assert_eq!(
            values(&after_replication(Some(&two), elsewhere.clone(), version("x"), DOTTED)),
            ["2", "x"]
        );
        let mut older = version("x");
        let mut single = put(None, &Vclock::default(), 1, SINGLE);
        single.siblings[0].content.last_mod = Some(10);
        older.content.last_mod = Some(9);
        assert_eq!(values(&after_replication(Some(&single), elsewhere, older, SINGLE)), ["1"]);
    }
}
