//! [`Checked`]: refuses requests on which Riak is known to fail, before they are
//! sent.
//!
//! Each rule was observed on a real node (`OpenRiak` 3.2): it answers with a stack
//! trace and closes the connection for every call that shares it, or it does only a
//! part of what it was asked. Invariant: a request that Riak serves as intended is
//! never refused, with one exception that all of Riak's own clients make: removing
//! without a context.

use std::time::Duration;

use riak_runtime::client::{Answered, Call, CallError, FrameStream, NotSent, Outgoing};
use riak_runtime::{Blob, Coded, Decode, DecodeLimits};

use crate::riak_dt::map_update::FlagOp;
use crate::riak_dt::{DtOpRef, DtUpdateReq, DtUpdateReqRef, MapOpRef};
use crate::riak_kv::rpb_index_req::IndexQueryType;
use crate::riak_kv::{RpbIndexReq, RpbIndexReqRef};

/// Carries calls through another [`Call`], but refuses those that Riak is known to
/// mishandle.
///
/// It refuses requests on which Riak crashes or which it applies only in part, and
/// removals from data types, the disabling of flags included, without the context of
/// a read. They fail with
/// [`NotSent::Refused`], which says what to do instead. Each rule was observed on a
/// node of `OpenRiak` 3.2.
///
/// [`Riak::kv`](crate::Riak::kv), [`Riak::data_types`](crate::Riak::data_types) and
/// [`Riak::bulk`](crate::Riak::bulk) call through it:
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
        match checked_body(request)? {
            Some(body) => self.0.unary(&request.with_body(&body)).await,
            None => self.0.unary(request).await,
        }
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        match checked_body(request)? {
            Some(body) => self.0.stream(&request.with_body(&body)).await,
            None => self.0.stream(request).await,
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.0.decode_limits()
    }

    fn max_owed(&self) -> Option<usize> {
        self.0.max_owed()
    }

    fn timeout(&self) -> Option<Duration> {
        self.0.timeout()
    }
}

/// Checks a request. Returns its encoded body if a rule applies to its operation, so that
/// it is not encoded again to be sent.
fn checked_body(request: &Outgoing<'_>) -> Result<Option<Blob>, NotSent> {
    let fault_in: fn(&[u8]) -> Option<&'static str> = match request.operation().request {
        // A body that cannot be decoded here has no known fault.
        DtUpdateReq::CODE => |body| update_fault(&DtUpdateReqRef::decode(body).ok()?),
        RpbIndexReq::CODE => |body| query_fault(&RpbIndexReqRef::decode(body).ok()?),
        _ => return Ok(None),
    };
    let body = request.body().map_err(NotSent::Frame)?;
    match fault_in(&body) {
        Some(reason) => Err(NotSent::Refused { reason }),
        None => Ok(Some(body)),
    }
}

/// Returns what is wrong with an update of a data type, if anything.
fn update_fault(update: &DtUpdateReqRef<'_>) -> Option<&'static str> {
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
            Some("removing, or disabling a flag, needs the context of the read that has shown what is to go")
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
            // Disabling a flag removes the enabling that a read has shown.
            field.flag_op == Some(FlagOp::Disable)
                || field.set_op.as_ref().is_some_and(|set| !set.removes.is_empty())
                || field.map_op.as_ref().is_some_and(removes_within)
        })
}

/// Returns what is wrong with a query of an index, if anything.
fn query_fault(query: &RpbIndexReqRef<'_>) -> Option<&'static str> {
    // The two built-in indexes of every bucket; their names are case-sensitive.
    if matches!(query.index, b"$bucket" | b"$key") {
        return None;
    }
    let name = query.index.to_ascii_lowercase();
    // A suffix alone is not a name.
    let ends_with = |suffix: &[u8]| name.len() > suffix.len() && name.ends_with(suffix);
    if ends_with(b"_bin") {
        return None;
    }
    if !ends_with(b"_int") {
        return Some(
            "Riak crashes on an index whose name does not end in _bin or _int, or is no more than that",
        );
    }
    // Riak reads no other terms, and reports it if one of these is missing.
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
    use std::time::Instant;

    use riak_runtime::{FrameError, Message, WriteBuffer};

    use super::*;
    use crate::riak_dt::map_field::MapFieldType;
    use crate::riak_dt::{CounterOp, DtOp, GSetOp, HllOp, MapField, MapOp, MapUpdate, SetOp};
    use crate::riak_services::RpbPingReq;

    fn update(op: DtOp, context: Option<&'static str>) -> Option<&'static str> {
        let request = DtUpdateReq { context: context.map(Blob::from), ..DtUpdateReq::new("b", "t", op) };
        update_fault(&DtUpdateReqRef::decode(&request.encode_to_vec()).unwrap())
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
    fn only_sets_and_maps_take_a_context_and_removals_need_one() {
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
        let flag = |change| {
            let update = MapUpdate { flag_op: Some(change), ..MapUpdate::new(field()) };
            MapOp { updates: vec![update], ..MapOp::default() }
        };
        for op in [
            of_set(set(&["x"])),
            of_map(removed()),
            of_map(removed_from()),
            of_map(flag(FlagOp::Disable)),
            of_map(nested(flag(FlagOp::Disable))),
            of_map(nested(removed())),
            of_map(nested(nested(removed_from()))),
        ] {
            assert!(update(op.clone(), None).unwrap().contains("needs the context"), "{op:?}");
            assert!(update(op.clone(), Some("")).unwrap().contains("empty context"), "{op:?}");
            assert_eq!(update(op, Some("c")), None);
        }
        for op in [of_set(set(&[])), of_map(nested(MapOp::default())), of_map(nested(flag(FlagOp::Enable)))] {
            assert_eq!(update(op.clone(), None), None);
            assert!(update(op, Some("")).is_some());
        }
    }

    #[test]
    fn a_request_is_encoded_once() {
        let grow = DtUpdateReq::new("b", "t", DtOp { set_op: Some(set(&[])), ..DtOp::default() });
        let request = Outgoing::unary(&grow);
        let body = checked_body(&request).unwrap().unwrap();
        assert_eq!(body, grow.encode_to_vec());
        let sent = |request: &Outgoing<'_>| {
            let mut out = WriteBuffer::new();
            request.encode(&mut out, Instant::now()).unwrap();
            out.to_vec()
        };
        assert_eq!(sent(&request.with_body(&body)), sent(&request));
        // These bytes are sent, and not those of another encoding.
        assert_eq!(sent(&request.with_body(&Blob::from("x")))[5..], *b"x");
        assert_eq!(request.with_body(&body).bucket_type(), Some(&b"t"[..]));
        // Nothing else is encoded here.
        assert!(checked_body(&Outgoing::unary(&RpbPingReq::default())).unwrap().is_none());
    }

    #[test]
    fn a_request_that_is_too_long_for_a_frame_is_an_error() {
        let value = Blob::from(vec![0; 16 << 20]);
        let many = SetOp { adds: vec![value; 128], ..SetOp::default() };
        let request = DtUpdateReq::new("b", "t", DtOp { set_op: Some(many), ..DtOp::default() });
        let error = checked_body(&Outgoing::unary(&request)).unwrap_err();
        assert!(matches!(error, NotSent::Frame(FrameError::TooLong { .. })), "{error}");
    }

    #[test]
    fn an_update_has_exactly_one_operation() {
        let both = DtOp { counter_op: Some(CounterOp::default()), set_op: Some(set(&[])), ..DtOp::default() };
        for op in [DtOp::default(), both] {
            assert!(update(op, None).unwrap().contains("one operation"));
        }
    }

    #[test]
    fn queries_that_crash_a_node_are_refused_and_others_are_not() {
        let fault = |index: &'static str, term: &'static str| {
            let query =
                RpbIndexReq { key: Some(term.into()), ..RpbIndexReq::new("b", index, IndexQueryType::Eq) };
            query_fault(&RpbIndexReqRef::decode(&query.encode_to_vec()).unwrap())
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
    fn unused_terms_are_not_checked() {
        let fault = |qtype, key: &'static str, [min, max]: [&'static str; 2]| {
            let query = RpbIndexReq {
                key: Some(key.into()),
                range_min: Some(min.into()),
                range_max: Some(max.into()),
                ..RpbIndexReq::new("b", "n_int", qtype)
            };
            query_fault(&RpbIndexReqRef::decode(&query.encode_to_vec()).unwrap())
        };
        assert_eq!(fault(IndexQueryType::Eq, "5", ["", "x"]), None);
        assert_eq!(fault(IndexQueryType::Range, "", ["5", "6"]), None);
        for range in [["", "6"], ["5", "x"]] {
            assert!(fault(IndexQueryType::Range, "5", range).is_some(), "{range:?}");
        }
        // A missing term is not refused, since the node reports it.
        let nothing = RpbIndexReq::new("b", "n_int", IndexQueryType::Eq);
        assert_eq!(query_fault(&RpbIndexReqRef::decode(&nothing.encode_to_vec()).unwrap()), None);
    }
}
