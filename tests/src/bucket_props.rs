//! What the properties of a bucket are until they are set, how they are set,
//! and what is refused.
//!
//! Invariant: a set of properties that a node answers with is complete: bucket
//! over type over the values of a fresh installation.

use riak_client::riak::{RpbBucketProps, RpbCommitHook, RpbModFun};
use riak_runtime::{Blob, Quorum};

use crate::crdt::Kind;
use crate::refusal::Refusal;

/// What the type `default` has on a fresh node.
pub(crate) fn of_default_type() -> RpbBucketProps {
    RpbBucketProps { allow_mult: Some(false), write_once: Some(false), ..common() }
}

/// What a type has that was made with no properties of its own.
pub(crate) fn of_other_types() -> RpbBucketProps {
    RpbBucketProps { allow_mult: Some(true), ..common() }
}

fn common() -> RpbBucketProps {
    RpbBucketProps {
        n_val: Some(3),
        last_write_wins: Some(false),
        has_precommit: Some(true),
        has_postcommit: Some(true),
        chash_keyfun: Some(RpbModFun::new("riak_core_util", "chash_std_keyfun")),
        linkfun: Some(RpbModFun::new("riak_kv_wm_link_walker", "mapreduce_linkfun")),
        old_vclock: Some(86_400),
        young_vclock: Some(20),
        big_vclock: Some(50),
        small_vclock: Some(50),
        pr: Some(Quorum(0)),
        r: Some(Quorum::QUORUM),
        w: Some(Quorum::QUORUM),
        pw: Some(Quorum(0)),
        dw: Some(Quorum::QUORUM),
        rw: Some(Quorum::QUORUM),
        basic_quorum: Some(false),
        notfound_ok: Some(true),
        ..RpbBucketProps::default()
    }
}

/// `props` with those of `over` that are set. Hooks are set where their flag
/// is.
pub(crate) fn merged(mut props: RpbBucketProps, over: &RpbBucketProps) -> RpbBucketProps {
    /// Copies the optional fields that are set.
    macro_rules! take {
        ($($field:ident)*) => {$(
            if over.$field.is_some() {
                props.$field.clone_from(&over.$field);
            }
        )*};
    }
    take! {
        n_val allow_mult last_write_wins chash_keyfun linkfun old_vclock young_vclock big_vclock small_vclock
        pr r w pw dw rw basic_quorum notfound_ok backend search repl search_index datatype consistent write_once
        hll_precision
    }
    if over.has_precommit == Some(true) {
        props.has_precommit = Some(true);
        props.precommit = hooks(&over.precommit);
    }
    if over.has_postcommit == Some(true) {
        props.has_postcommit = Some(true);
        props.postcommit = hooks(&over.postcommit);
    }
    props
}

/// Hooks as a node keeps them: a function or a name, the function if it is given
/// both, and none that are neither.
fn hooks(given: &[RpbCommitHook]) -> Vec<RpbCommitHook> {
    let kept = |hook: &RpbCommitHook| match (&hook.modfun, &hook.name) {
        (None, None) => None,
        (Some(_), _) => Some(RpbCommitHook { name: None, ..hook.clone() }),
        (None, Some(_)) => Some(hook.clone()),
    };
    given.iter().filter_map(kept).collect()
}

/// Whether properties may be set where `existing` apply. What is not in
/// `RpbBucketProps` never gets here, and is not stored.
///
/// # Errors
///
/// [`Refusal::InvalidProps`] with all that are wrong.
pub(crate) fn check(
    kind_is_default: bool,
    existing: &RpbBucketProps,
    new: &RpbBucketProps,
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if !kind_is_default {
        check_fixed(existing, new, &mut faults);
    }
    for (name, value) in [
        ("n_val", new.n_val),
        ("old_vclock", new.old_vclock),
        ("big_vclock", new.big_vclock),
        ("small_vclock", new.small_vclock),
    ] {
        if value == Some(0) {
            faults.push((name, "not_integer".to_owned()));
        }
    }
    for (name, value, zero) in [
        ("pr", new.pr, true),
        ("r", new.r, false),
        ("w", new.w, false),
        ("pw", new.pw, true),
        ("dw", new.dw, true),
        ("rw", new.rw, false),
    ] {
        if value.is_some_and(|value| value == Quorum::DEFAULT || (value == Quorum(0) && !zero)) {
            faults.push((name, "not_valid_quorum".to_owned()));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        // The node collects them back to front.
        faults.reverse();
        Err(Refusal::InvalidProps(faults))
    }
}

/// What is fixed once a type is in use.
fn check_fixed(existing: &RpbBucketProps, new: &RpbBucketProps, faults: &mut Vec<(&'static str, String)>) {
    match (&existing.datatype, &new.datatype) {
        (None, Some(_)) => faults.push(("datatype", "\"`datatype` must not be defined.\"".to_owned())),
        (Some(old), Some(new)) if old != new => {
            let text = format!("\"{} not supported for bucket datatype property\"", new.to_string_lossy());
            faults.push(("datatype", text));
        }
        _ => {}
    }
    if existing.datatype.is_some() && new.allow_mult == Some(false) {
        faults.push(("allow_mult", "\"Data Type buckets must be allow_mult=true\"".to_owned()));
    }
    if let Some(new) = new.hll_precision
        && Kind::of(existing) == Some(Kind::Hll)
        && !(4..=existing.hll_precision.unwrap_or(16).min(16)).contains(&new)
    {
        let text = format!(
            "\"{new} not supported for Hyperloglog precision property for bucket type. Precision must be an \
             integer between 4 and 16, inclusive (3 < p < 17) and precision can be reduced but never increased \
             after initial setting\""
        );
        faults.push(("hll_precision", text));
    }
    for (name, old, new) in [
        ("consistent", existing.consistent, new.consistent),
        ("write_once", existing.write_once, new.write_once),
    ] {
        if new.is_some_and(|new| new != old.unwrap_or(false)) {
            faults.push((name, format!("\"Cannot change {name} of an existing bucket type\"")));
        }
    }
}

/// The type that a request names; the default one if it names none. One without a
/// name is one that does not exist, to requests for properties and to listings.
pub(crate) fn named_kind(requested: Option<&Blob>) -> Blob {
    requested.cloned().unwrap_or(Blob::from_static(crate::ring::DEFAULT_TYPE))
}

/// The same for requests that look at the name first.
///
/// # Errors
///
/// [`Refusal::EmptyType`].
pub(crate) fn kind_of(requested: Option<&Blob>) -> Result<Blob, Refusal> {
    if requested.is_some_and(|name| name.is_empty()) {
        return Err(Refusal::EmptyType);
    }
    Ok(named_kind(requested))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_present_is_set() {
        let set = RpbBucketProps { n_val: Some(5), ..RpbBucketProps::default() };
        let props = merged(of_default_type(), &set);
        assert_eq!((props.n_val, props.allow_mult, props.r), (Some(5), Some(false), Some(Quorum::QUORUM)));
    }

    #[test]
    fn hooks_need_their_flag() {
        let hook = RpbCommitHook { name: Some("h".into()), ..RpbCommitHook::default() };
        let silent = RpbBucketProps { precommit: vec![hook.clone()], ..RpbBucketProps::default() };
        assert_eq!(merged(of_default_type(), &silent).precommit, []);
        let flagged = RpbBucketProps { has_precommit: Some(true), ..silent };
        let props = merged(of_default_type(), &flagged);
        assert_eq!(props.precommit, [hook]);
        let modfun = Some(RpbModFun::new("m", "f"));
        let odd = [
            RpbCommitHook::default(),
            RpbCommitHook { modfun: modfun.clone(), name: Some("h".into()), ..RpbCommitHook::default() },
        ];
        let odd = RpbBucketProps { precommit: odd.into(), ..flagged };
        let kept = RpbCommitHook { modfun, ..RpbCommitHook::default() };
        assert_eq!(merged(of_default_type(), &odd).precommit, [kept]);
        let none = RpbBucketProps { has_precommit: Some(true), ..RpbBucketProps::default() };
        assert_eq!(merged(props, &none).precommit, []);
    }

    #[test]
    fn nonsense_is_refused_in_the_words_of_the_node() {
        let existing = of_default_type();
        let zero = RpbBucketProps { n_val: Some(0), ..RpbBucketProps::default() };
        assert_eq!(
            check(true, &existing, &zero).unwrap_err().to_string(),
            "Invalid bucket properties: [{n_val,not_integer}]"
        );
        let quorums = RpbBucketProps { pr: Some(Quorum(0)), r: Some(Quorum(0)), ..RpbBucketProps::default() };
        assert_eq!(
            check(true, &existing, &quorums).unwrap_err().to_string(),
            "Invalid bucket properties: [{r,not_valid_quorum}]"
        );
        let datatype = RpbBucketProps { datatype: Some("set".into()), ..RpbBucketProps::default() };
        assert!(check(true, &existing, &datatype).is_ok());
        assert!(check(false, &of_other_types(), &datatype).is_err());
        let maps = merged(
            of_other_types(),
            &RpbBucketProps { datatype: Some("map".into()), ..RpbBucketProps::default() },
        );
        assert_eq!(
            check(false, &maps, &datatype).unwrap_err().to_string(),
            "Invalid bucket properties: [{datatype,\"set not supported for bucket datatype property\"}]"
        );
        let hlls = merged(
            of_other_types(),
            &RpbBucketProps {
                datatype: Some("hll".into()),
                hll_precision: Some(10),
                ..RpbBucketProps::default()
            },
        );
        for (precision, allowed) in [(3, false), (4, true), (10, true), (11, false), (17, false)] {
            let precision = RpbBucketProps { hll_precision: Some(precision), ..RpbBucketProps::default() };
            assert_eq!(check(false, &hlls, &precision).is_ok(), allowed, "{precision:?}");
        }
        let single = RpbBucketProps { allow_mult: Some(false), ..RpbBucketProps::default() };
        assert!(check(false, &maps, &single).is_err());
        assert!(check(false, &of_other_types(), &single).is_ok());
    }
}
