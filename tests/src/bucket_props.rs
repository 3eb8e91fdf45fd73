//! The properties of buckets: their defaults, how they are set, and which values
//! are refused.
//!
//! Invariant: the properties that a node returns are complete. Those of a bucket
//! override those of its type, which override those of a fresh installation.

use riak_client::riak::{RpbBucketProps, RpbCommitHook, RpbModFun};
use riak_runtime::{Blob, Quorum};

use crate::crdt::Kind;
use crate::refusal::Refusal;

/// Returns the properties of the type `default` on a fresh node.
pub(crate) fn default_type_props() -> RpbBucketProps {
    RpbBucketProps { allow_mult: Some(false), write_once: Some(false), ..common() }
}

/// Returns the properties of a type that was created without any of its own.
pub(crate) fn new_type_props() -> RpbBucketProps {
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

/// Returns `props` overridden by the properties that `over` sets. Hooks are set
/// only if their flag is.
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

/// Returns hooks as a node stores them: a function, or else a name. A hook with
/// neither is dropped.
fn hooks(given: &[RpbCommitHook]) -> Vec<RpbCommitHook> {
    let kept = |hook: &RpbCommitHook| match (&hook.modfun, &hook.name) {
        (None, None) => None,
        (Some(_), _) => Some(RpbCommitHook { name: None, ..hook.clone() }),
        (None, Some(_)) => Some(hook.clone()),
    };
    given.iter().filter_map(kept).collect()
}

/// Checks whether properties may be set on top of `existing` ones. Properties that
/// `RpbBucketProps` lacks never get here, and are not stored.
///
/// # Errors
///
/// [`Refusal::InvalidProps`] with all that are invalid.
pub(crate) fn check(
    kind_is_default: bool,
    existing: &RpbBucketProps,
    new: &RpbBucketProps,
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if !kind_is_default {
        check_immutable(existing, new, &mut faults);
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
    // Types are created with dotted vclocks, unless the operator wants the last write to win.
    if !kind_is_default && new.last_write_wins == Some(true) && existing.last_write_wins != Some(true) {
        let text = "\"If last_write_wins is true, dvv_enabled must be false\"";
        faults.push(("dvv_enabled", text.to_owned()));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        // The node lists the faults in reverse order.
        faults.reverse();
        Err(Refusal::InvalidProps(faults))
    }
}

/// Checks the properties that are fixed once a type is in use.
fn check_immutable(
    existing: &RpbBucketProps,
    new: &RpbBucketProps,
    faults: &mut Vec<(&'static str, String)>,
) {
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

/// Returns the bucket type that a request names, or the default type if it names
/// none. Requests for properties and listings take an empty name for that of a type
/// that does not exist.
pub(crate) fn type_or_default(requested: Option<&Blob>) -> Blob {
    requested.cloned().unwrap_or(Blob::from_static(crate::ring::DEFAULT_TYPE))
}

/// As [`type_or_default`], for requests that refuse an empty name.
///
/// # Errors
///
/// [`Refusal::EmptyType`].
pub(crate) fn checked_type(requested: Option<&Blob>) -> Result<Blob, Refusal> {
    if requested.is_some_and(|name| name.is_empty()) {
        return Err(Refusal::EmptyType);
    }
    Ok(type_or_default(requested))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_present_properties_are_set() {
        let set = RpbBucketProps { n_val: Some(5), ..RpbBucketProps::default() };
        let props = merged(default_type_props(), &set);
        assert_eq!((props.n_val, props.allow_mult, props.r), (Some(5), Some(false), Some(Quorum::QUORUM)));
    }

    #[test]
    fn hooks_are_set_only_with_their_flag() {
        let hook = RpbCommitHook { name: Some("h".into()), ..RpbCommitHook::default() };
        let silent = RpbBucketProps { precommit: vec![hook.clone()], ..RpbBucketProps::default() };
        assert_eq!(merged(default_type_props(), &silent).precommit, []);
        let flagged = RpbBucketProps { has_precommit: Some(true), ..silent };
        let props = merged(default_type_props(), &flagged);
        assert_eq!(props.precommit, [hook]);
        let modfun = Some(RpbModFun::new("m", "f"));
        let odd = [
            RpbCommitHook::default(),
            RpbCommitHook { modfun: modfun.clone(), name: Some("h".into()), ..RpbCommitHook::default() },
        ];
        let odd = RpbBucketProps { precommit: odd.into(), ..flagged };
        let kept = RpbCommitHook { modfun, ..RpbCommitHook::default() };
        assert_eq!(merged(default_type_props(), &odd).precommit, [kept]);
        let none = RpbBucketProps { has_precommit: Some(true), ..RpbBucketProps::default() };
        assert_eq!(merged(props, &none).precommit, []);
    }

    #[test]
    fn invalid_properties_are_refused_with_the_texts_of_a_real_node() {
        let existing = default_type_props();
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
        assert!(check(false, &new_type_props(), &datatype).is_err());
        let maps = merged(
            new_type_props(),
            &RpbBucketProps { datatype: Some("map".into()), ..RpbBucketProps::default() },
        );
        assert_eq!(
            check(false, &maps, &datatype).unwrap_err().to_string(),
            "Invalid bucket properties: [{datatype,\"set not supported for bucket datatype property\"}]"
        );
        let hlls = merged(
            new_type_props(),
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
        assert!(check(false, &new_type_props(), &single).is_ok());
    }

    #[test]
    fn last_write_wins_is_refused_where_dotted_vclocks_are_on() {
        let last =
            RpbBucketProps { last_write_wins: Some(true), n_val: Some(0), ..RpbBucketProps::default() };
        assert_eq!(
            check(false, &new_type_props(), &last).unwrap_err().to_string(),
            "Invalid bucket properties: [{dvv_enabled,\"If last_write_wins is true, dvv_enabled must be false\"},\
             {n_val,not_integer}]"
        );
        let last = RpbBucketProps { n_val: None, ..last };
        assert!(check(true, &default_type_props(), &last).is_ok());
        // The operator has created the type with last_write_wins, and so without dvv_enabled.
        assert!(check(false, &merged(new_type_props(), &last), &last).is_ok());
    }
}
