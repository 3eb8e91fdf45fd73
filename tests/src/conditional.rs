//! Conditional puts: `if_none_match` and `if_not_modified`.
//!
//! Invariant: a tombstone counts as no object, as in a plain read.

use riak_client::riak_kv::RpbPutReq;

use crate::object::Object;
use crate::refusal::Refusal;
use crate::vclock::Vclock;

/// Checks the conditions of a put against the stored object.
///
/// # Errors
///
/// [`Refusal::MatchFound`], [`Refusal::Modified`] or [`Refusal::NotFound`].
pub(crate) fn check(request: &RpbPutReq, context: &Vclock, stored: Option<&Object>) -> Result<(), Refusal> {
    let none_match = request.if_none_match == Some(true);
    let not_modified = request.if_not_modified == Some(true);
    match stored.filter(|stored| !stored.is_tombstone()) {
        Some(_) if none_match => Err(Refusal::MatchFound),
        Some(stored) if not_modified && stored.clock != *context => Err(Refusal::Modified),
        // With both conditions, the absence that `if_none_match` asks for is enough.
        None if not_modified && !none_match => Err(Refusal::NotFound),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use riak_client::riak_kv::RpbContent;

    use super::*;
    use crate::object::Sibling;
    use crate::vclock::Dot;

    #[test]
    fn conditions_treat_a_tombstone_as_absent() {
        let mut clock = Vclock::default();
        clock.add(Dot { actor: 1, counter: 1 });
        let sibling = Sibling { dot: None, content: RpbContent::new("v"), entries: Vec::new(), crdt: None };
        let stored = Object { clock: clock.clone(), siblings: vec![sibling] };
        let mut tombstone = stored.clone();
        tombstone.siblings[0].content.deleted = Some(true);
        let none_match = RpbPutReq { if_none_match: Some(true), ..RpbPutReq::default() };
        let not_modified = RpbPutReq { if_not_modified: Some(true), ..RpbPutReq::default() };
        let both = RpbPutReq { if_none_match: Some(true), ..not_modified.clone() };
        let stale = Vclock::default();
        for (request, context, object, expected) in [
            (&none_match, &stale, None, Ok(())),
            (&none_match, &clock, Some(&stored), Err(Refusal::MatchFound)),
            (&none_match, &stale, Some(&tombstone), Ok(())),
            (&not_modified, &clock, Some(&stored), Ok(())),
            (&not_modified, &stale, Some(&stored), Err(Refusal::Modified)),
            (&not_modified, &clock, None, Err(Refusal::NotFound)),
            (&not_modified, &clock, Some(&tombstone), Err(Refusal::NotFound)),
            (&both, &clock, None, Ok(())),
            (&both, &clock, Some(&stored), Err(Refusal::MatchFound)),
            (&RpbPutReq::default(), &stale, Some(&stored), Ok(())),
        ] {
            assert_eq!(check(request, context, object), expected, "{request:?}");
        }
    }
}
