//! [`Checked`]: refuses what Riak is known to fail on before it is sent.
//!
//! Each rule is one of a real node's behaviour (`OpenRiak` 3.2): it answers with a
//! stack trace and closes the connection, for everyone who shares it, or does a
//! part of what it was asked. Invariant: a request that Riak serves as it is
//! meant is never refused, with one exception that all of Riak's own clients
//! make: removing without a context.

use riak_runtime::client::{Answered, Call, CallError, FrameStream, NotSent, Outgoing};
use riak_runtime::{Coded, Decode, DecodeLimits};

use crate::riak_dt::{DtOpRef, DtUpdateReq, DtUpdateReqRef, MapOpRef};
use crate::riak_kv::rpb_index_req::IndexQueryType;
use crate::riak_kv::{RpbIndexReq, RpbIndexReqRef};

/// Makes calls through another [`Call`], except for requests that Riak is known to
/// crash on or to apply only in part, and removals from data types without the context
/// of a read. Those fail with [`NotSent::Refused`], which says what to do instead. Each
/// rule was measured with a node of `OpenRiak` 3.2.
///
/// [`Riak::kv`](crate::Riak::kv), [`Riak::data_types`](crate::Riak::data_types)
/// and [`Riak::bulk`](crate::Riak::bulk) call through it:
///
/// ```no_run
/// # async fn example(riak: riak_client::Riak) {
/// use riak_client::riak_dt::{DtOp, DtUpdateReq, GSetOp};
///
/// let op = DtOp { gset_op: Some(GSetOp::default()), ..DtOp::default() };
/// let grow = DtUpdateReq { return_body: Some(true), ..DtUpdateReq::new("b", "gsets", op) };
/// let error = riak.data_types().update(&grow).await.unwrap_err();
/// assert!(error.to_string().contains("return_body"));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Checked<C>(C);

impl<C> Checked<C> {
    pub(crate) const fn new(call: C) -> Self {
        Self(call)
    }
}

impl<C: Call> Call for Checked<C> {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        check(request)?;
        self.0.unary(request).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        check(request)?;
        self.0.stream(request).await
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.0.decode_limits()
    }

    fn max_owed(&self) -> Option<usize> {
        self.0.max_owed()
    }
}

fn check(request: &Outgoing<'_>) -> Result<(), NotSent> {
    let fault = match request.operation().request {
        // What cannot be read here has no fault that is known.
        DtUpdateReq::CODE => DtUpdateReqRef::decode(&request.body()).ok().and_then(|it| of_update(&it)),
        RpbIndexReq::CODE => RpbIndexReqRef::decode(&request.body()).ok().and_then(|it| of_query(&it)),
        _ => None,
    };
    fault.map_or(Ok(()), |reason| Err(NotSent::Refused { reason }))
}

/// What is wrong with an update of a data type.
fn of_update(update: &DtUpdateReqRef<'_>) -> Option<&'static str> {
    let op = &update.op;
    let operations = [
        op.counter_op.is_some(),
        op.set_op.is_some(),
        op.map_op.is_some(),
        op.hll_op.is_some(),
        op.gset_op.is_some(),
    ];
    if operations.iter().filter(|is_there| **is_there).count() != 1 {
        return Some(
            "an update has one operation, and Riak would apply the first of several alone: make one call each",
        );
    }
    if op.gset_op.is_some() && update.return_body == Some(true) {
        return Some(
            "Riak applies this update and crashes on its answer: leave return_body out, and fetch the set",
        );
    }
    match update.context {
        Some(b"") => Some("Riak crashes on an empty context: leave it out"),
        Some(_) if op.set_op.is_none() && op.map_op.is_none() => Some(
            "Riak crashes on a context where there is nothing to remove: leave it out, unless it is a set or a map",
        ),
        None if removes(op) => {
            Some("removing needs the context of the read that has shown what is to be removed")
        }
        _ => None,
    }
}

fn removes(op: &DtOpRef<'_>) -> bool {
    op.set_op.as_ref().is_some_and(|set| !set.removes.is_empty())
        || op.map_op.as_ref().is_some_and(removes_within)
}

fn removes_within(map: &MapOpRef<'_>) -> bool {
    !map.removes.is_empty()
        || map.updates.iter().any(|field| {
            field.set_op.as_ref().is_some_and(|set| !set.removes.is_empty())
                || field.map_op.as_ref().is_some_and(removes_within)
        })
}

/// What is wrong with a query of an index.
fn of_query(query: &RpbIndexReqRef<'_>) -> Option<&'static str> {
    // The two that every bucket has are known by these names alone, as they are.
    if matches!(query.index, b"$bucket" | b"$key") {
        return None;
    }
    let name = query.index.to_ascii_lowercase();
    // A suffix alone is no name.
    let ends_with = |suffix: &[u8]| name.len() > suffix.len() && name.ends_with(suffix);
    if ends_with(b"_bin") {
        return None;
    }
    if !ends_with(b"_int") {
        return Some(
            "Riak crashes on an index whose name does not end in _bin or _int, or is no more than that",
        );
    }
    // It reads no others; where one is missing, it says so.
    let terms = match query.qtype {
        IndexQueryType::Eq => [query.key, None],
        IndexQueryType::Range => [query.range_min, query.range_max],
    };
    let fits = terms.into_iter().flatten().all(is_integer);
    (!fits).then_some("Riak crashes on a term of an _int index that is no decimal number")
}

fn is_integer(term: &[u8]) -> bool {
    let digits = term.strip_prefix(b"-").or_else(|| term.strip_prefix(b"+")).unwrap_or(term);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use riak_runtime::{Blob, Message};

    use super::*;
    use crate::riak_dt::map_field::MapFieldType;
    use crate::riak_dt::{CounterOp, DtOp, GSetOp, HllOp, MapField, MapOp, MapUpdate, SetOp};

    fn update(op: DtOp, context: Option<&'static str>) -> Option<&'static str> {
        let request = DtUpdateReq { context: context.map(Blob::from), ..DtUpdateReq::new("b", "t", op) };
        of_update(&DtUpdateReqRef::decode(&request.encode_to_vec()).unwrap())
    }

    fn set(removes: &[&'static str]) -> SetOp {
        SetOp { removes: removes.iter().copied().map(Blob::from).collect(), ..SetOp::default() }
    }

    fn field() -> MapField {
        MapField::new("f", MapFieldType::Set)
    }

    fn nested(map: MapOp) -> MapOp {
        let update = MapUpdate { map_op: Some(map), ..MapUpdate::new(field()) };
        MapOp { updates: vec![update], ..MapOp::default() }
    }

    #[test]
    fn a_context_goes_with_sets_and_maps_alone_and_removing_needs_it() {
        let counter = || DtOp { counter_op: Some(CounterOp::default()), ..DtOp::default() };
        let hll = || DtOp { hll_op: Some(HllOp::default()), ..DtOp::default() };
        let gset = || DtOp { gset_op: Some(GSetOp::default()), ..DtOp::default() };
        let of_set = |set| DtOp { set_op: Some(set), ..DtOp::default() };
        let of_map = |map| DtOp { map_op: Some(map), ..DtOp::default() };
        for op in [counter(), hll(), gset()] {
            assert_eq!(update(op.clone(), None), None);
            assert!(update(op.clone(), Some("c")).unwrap().contains("crashes on a context"));
            assert!(update(op, Some("")).unwrap().contains("empty context"));
        }
        let removed = || MapOp { removes: vec![field()], ..MapOp::default() };
        let removed_from = || {
            let update = MapUpdate { set_op: Some(set(&["x"])), ..MapUpdate::new(field()) };
            MapOp { updates: vec![update], ..MapOp::default() }
        };
        for op in [
            of_set(set(&["x"])),
            of_map(removed()),
            of_map(removed_from()),
            of_map(nested(removed())),
            of_map(nested(nested(removed_from()))),
        ] {
            assert!(update(op.clone(), None).unwrap().contains("needs the context"), "{op:?}");
            assert_eq!(update(op, Some("c")), None);
        }
        for op in [of_set(set(&[])), of_map(nested(MapOp::default()))] {
            assert_eq!(update(op.clone(), None), None);
            assert!(update(op, Some("")).is_some());
        }
    }

    #[test]
    fn one_operation_at_a_time() {
        let both = DtOp { counter_op: Some(CounterOp::default()), set_op: Some(set(&[])), ..DtOp::default() };
        for op in [DtOp::default(), both] {
            assert!(update(op, None).unwrap().contains("one operation"));
        }
    }

    #[test]
    fn queries_that_a_node_crashes_on_are_told_from_those_that_it_answers() {
        let fault = |index: &'static str, term: &'static str| {
            let query =
                RpbIndexReq { key: Some(term.into()), ..RpbIndexReq::new("b", index, IndexQueryType::Eq) };
            of_query(&RpbIndexReqRef::decode(&query.encode_to_vec()).unwrap())
        };
        for (index, term) in [
            ("n_int", "5"),
            ("n_int", "-5"),
            ("n_int", "+5"),
            ("N_INT", "007"),
            ("$x_int", "5"),
            ("n_bin", ""),
            ("$x_Bin", "k"),
            ("$key", "k"),
            ("$bucket", ""),
        ] {
            assert_eq!(fault(index, term), None, "{index} {term}");
        }
        for (index, term) in [
            ("n", "5"),
            ("_bin", "5"),
            ("_INT", "5"),
            ("n_int", ""),
            ("n_int", "-"),
            ("n_int", "5 "),
            ("n_int", "1.5"),
            ("$foo", "5"),
            ("$Key", "k"),
            ("$BUCKET", "b"),
            ("$x_int", "k"),
        ] {
            assert!(fault(index, term).is_some(), "{index} {term}");
        }
    }

    #[test]
    fn terms_that_a_query_does_not_use_are_not_looked_at() {
        let fault = |qtype, key: &'static str, [min, max]: [&'static str; 2]| {
            let query = RpbIndexReq {
                key: Some(key.into()),
                range_min: Some(min.into()),
                range_max: Some(max.into()),
                ..RpbIndexReq::new("b", "n_int", qtype)
            };
            of_query(&RpbIndexReqRef::decode(&query.encode_to_vec()).unwrap())
        };
        assert_eq!(fault(IndexQueryType::Eq, "5", ["", "x"]), None);
        assert_eq!(fault(IndexQueryType::Range, "", ["5", "6"]), None);
        for range in [["", "6"], ["5", "x"]] {
            assert!(fault(IndexQueryType::Range, "5", range).is_some(), "{range:?}");
        }
        // The node says that there is nothing to look for.
        let nothing = RpbIndexReq::new("b", "n_int", IndexQueryType::Eq);
        assert_eq!(of_query(&RpbIndexReqRef::decode(&nothing.encode_to_vec()).unwrap()), None);
    }
}
