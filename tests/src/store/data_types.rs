//! Data types: reading and updating them, and the counters of Riak 1.4.
//!
//! Invariant: the checks come in the order in which a node makes them; nothing is
//! changed by what is refused, with the one exception that Riak has, too.
//!
//! A data type is a version of an object, beside others if somebody has written
//! some. Names may be empty here, which for other requests they may not be: Riak
//! checks those alone.

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::{DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp, DtValue};
use riak_client::riak_kv::{
    RpbContent, RpbCounterGetReq, RpbCounterGetResp, RpbCounterUpdateReq, RpbCounterUpdateResp,
};
use riak_runtime::Blob;

use super::{Place, State};
use crate::crdt::{Change, Crdt, Kind, as_increment, fetched, updated};
use crate::erlang::text;
use crate::object::Object;
use crate::quorum;
use crate::refusal::Refusal;
use crate::ring::DEFAULT_TYPE;
use crate::siblings::{self, Policy};

/// An update as the store gets it, from whatever request.
struct Update<'a> {
    place: Place,
    key: Blob,
    kind: Kind,
    change: &'a Change,
    context: Option<&'a [u8]>,
}

impl State {
    pub(super) fn fetch(&mut self, request: &DtFetchReq) -> Result<DtFetchResp, Refusal> {
        if *request.r#type == *DEFAULT_TYPE {
            return self.fetch_legacy(request);
        }
        let place = (request.r#type.clone(), request.bucket.clone());
        let props = self.data_type_props(&place)?;
        let kind = Kind::of(&props).ok_or_else(|| Refusal::UnsupportedType(props.datatype.clone()))?;
        quorum::check(&props, request.n_val, &[request.r, request.pr], request.node_confirms)?;
        Ok(match self.live(&place, &request.key, request.n_val, &props) {
            Some(object) => fetched(kind, object.crdt(kind), request.include_context()),
            None => DtFetchResp::new(kind.data_type()),
        })
    }

    pub(super) fn update(&mut self, request: &DtUpdateReq) -> Result<DtUpdateResp, Refusal> {
        if *request.r#type == *DEFAULT_TYPE {
            return self.update_legacy(request);
        }
        let place = (request.r#type.clone(), request.bucket.clone());
        let props = self.data_type_props(&place)?;
        let change = Change::read(&request.op)?;
        let kind = Kind::of(&props).ok_or_else(|| Refusal::UnsupportedDatatype(props.datatype.clone()))?;
        if change.kind() != kind {
            return Err(Refusal::wrong_operation(change.kind(), kind));
        }
        quorum::check(&props, request.n_val, &[request.w, request.dw, request.pw], request.node_confirms)?;

        let key = request.key.clone().unwrap_or_else(|| self.identities.key());
        let context = request.context.as_ref().map(Blob::as_slice);
        let update = Update { place, key: key.clone(), kind, change: &change, context };
        let crdt = self.converge(update, &props)?;
        let generated = request.key.is_none().then_some(key);
        if request.return_body != Some(true) {
            return Ok(DtUpdateResp { key: generated, ..DtUpdateResp::default() });
        }
        let answer = updated(&crdt, request.include_context());
        if kind == Kind::GSet {
            // It is applied, and then Riak does not know how to say it.
            let elements: Vec<_> = answer.gset_value.iter().map(|element| text::binary(element)).collect();
            let arguments = format!("gset,[{}],undefined,undefined", elements.join(","));
            return Err(Refusal::no_clause("riak_pb_dt_codec", "encode_update_response", &arguments));
        }
        Ok(DtUpdateResp { key: generated, ..answer })
    }

    pub(super) fn get_counter(&mut self, request: &RpbCounterGetReq) -> Result<RpbCounterGetResp, Refusal> {
        let place = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let props = self.props(&place)?;
        quorum::check(&props, None, &[request.r, request.pr], request.node_confirms)?;
        let object = self.live(&place, &request.key, None, &props);
        let kind = Kind::LegacyCounter;
        let value = object.and_then(|object| fetched(kind, object.crdt(kind), false).value);
        Ok(RpbCounterGetResp {
            value: value.and_then(|value| value.counter_value),
            ..RpbCounterGetResp::default()
        })
    }

    pub(super) fn update_counter(
        &mut self,
        request: &RpbCounterUpdateReq,
    ) -> Result<RpbCounterUpdateResp, Refusal> {
        let place = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let props = self.props(&place)?;
        if props.allow_mult != Some(true) {
            return Err(Refusal::NoSiblingsForCounters);
        }
        quorum::check(&props, None, &[request.w, request.dw, request.pw], request.node_confirms)?;
        let change = Change::Counter(request.amount);
        let kind = Kind::LegacyCounter;
        let update = Update { place, key: request.key.clone(), kind, change: &change, context: None };
        let crdt = self.converge(update, &props)?;
        let value = (request.returnvalue == Some(true)).then(|| updated(&crdt, false).counter_value);
        Ok(RpbCounterUpdateResp { value: value.flatten(), ..RpbCounterUpdateResp::default() })
    }

    /// The default type has the counters of Riak 1.4 alone.
    fn fetch_legacy(&mut self, request: &DtFetchReq) -> Result<DtFetchResp, Refusal> {
        // What is not in the old request is left out, its timeout and n_val as well.
        let found = self.get_counter(&RpbCounterGetReq {
            r: request.r,
            pr: request.pr,
            ..RpbCounterGetReq::new(request.bucket.clone(), request.key.clone())
        })?;
        let value = found.value.map(|value| DtValue { counter_value: Some(value), ..DtValue::default() });
        Ok(DtFetchResp { value, ..DtFetchResp::new(Kind::LegacyCounter.data_type()) })
    }

    fn update_legacy(&mut self, request: &DtUpdateReq) -> Result<DtUpdateResp, Refusal> {
        let amount = as_increment(&request.op)?;
        let place = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let Some(key) = &request.key else {
            if self.props(&place)?.allow_mult != Some(true) {
                return Err(Refusal::NoSiblingsForCounters);
            }
            // Nobody makes a key for the old request.
            return Err(Refusal::no_clause("riak_object", "new", "undefined"));
        };
        self.update_counter(&RpbCounterUpdateReq {
            w: request.w,
            dw: request.dw,
            pw: request.pw,
            returnvalue: request.return_body,
            ..RpbCounterUpdateReq::new(request.bucket.clone(), key.clone(), amount)
        })?;
        // Riak drops the value on the way from the old answer to the new one.
        Ok(DtUpdateResp::default())
    }

    /// The properties of a bucket that may hold data types.
    fn data_type_props(&self, place: &Place) -> Result<RpbBucketProps, Refusal> {
        let props = self.types.of_bucket(&place.0, &place.1);
        let props = props.ok_or_else(|| Refusal::NoBucketType(place.0.clone()))?;
        if props.allow_mult == Some(true) { Ok(props) } else { Err(Refusal::NoSiblings) }
    }

    /// What a read finds: no tombstones.
    fn live(
        &mut self,
        place: &Place,
        key: &Blob,
        n_val: Option<u32>,
        props: &RpbBucketProps,
    ) -> Option<&Object> {
        let tombstone = self.stored(place, key).filter(|object| object.is_tombstone());
        if let Some(clock) = tombstone.map(|object| object.clock.clone()) {
            self.seen_dead(place, key, &clock, n_val, props);
            return None;
        }
        self.stored(place, key)
    }

    /// Applies an update to what is stored, or to a new one.
    fn converge(&mut self, update: Update<'_>, props: &RpbBucketProps) -> Result<Crdt, Refusal> {
        let Update { place, key, kind, change, context } = update;
        let policy = Policy::of(props, place.0 == *DEFAULT_TYPE);
        let stored = self.stored(&place, &key).filter(|_| !policy.last_write_wins);
        let mut crdt = match stored.and_then(|stored| stored.crdt(kind)) {
            Some(crdt) => crdt.clone(),
            None => Crdt::new(kind, self.identities.epoch(), props.hll_precision),
        };
        crdt.update(change, context, self.clock.now())?;
        let content = RpbContent {
            content_type: Some(Blob::from_static(kind.content_type().as_bytes())),
            ..RpbContent::new(crdt.stored_form())
        };
        self.check_size(&content)?;
        let mut version = self.version(&content, Vec::new(), false);
        version.crdt = Some(crdt.clone());
        let dot = self.identities.write();
        let object = siblings::updated(self.stored(&place, &key), dot, version, policy);
        self.buckets.entry(place).or_default().insert(key, object);
        Ok(crdt)
    }
}
