//! Data types: reading and updating them, and the counters of Riak 1.4.
//!
//! Invariant: the checks run in the order in which a node makes them. A refused
//! request changes nothing, with one exception, which Riak has as well.
//!
//! A data type is one version of an object, beside any plain versions that were
//! written. Names may be empty here, unlike in other requests: Riak checks only
//! those.

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::{DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp, DtValue};
use riak_client::riak_kv::{
    RpbContent, RpbCounterGetReq, RpbCounterGetResp, RpbCounterUpdateReq, RpbCounterUpdateResp,
};
use riak_runtime::Blob;

use super::{BucketId, State};
use crate::crdt::{Change, Crdt, Kind, as_increment, fetch_response, update_response};
use crate::erlang::text;
use crate::object::Object;
use crate::quorum;
use crate::refusal::Refusal;
use crate::ring::DEFAULT_TYPE;
use crate::siblings::{self, Policy};

/// An update in the form in which all kinds of requests reach the store.
struct Update<'a> {
    bucket_id: BucketId,
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
        let bucket_id = (request.r#type.clone(), request.bucket.clone());
        let props = self.data_type_props(&bucket_id)?;
        let kind = Kind::of(&props).ok_or_else(|| Refusal::UnsupportedType(props.datatype.clone()))?;
        quorum::check(&props, request.n_val, &[request.r, request.pr], request.node_confirms)?;
        Ok(match self.live(&bucket_id, &request.key, request.n_val, &props) {
            Some(object) => fetch_response(kind, object.crdt(kind), request.include_context()),
            None => DtFetchResp::new(kind.data_type()),
        })
    }

    pub(super) fn update(&mut self, request: &DtUpdateReq) -> Result<DtUpdateResp, Refusal> {
        if *request.r#type == *DEFAULT_TYPE {
            return self.update_legacy(request);
        }
        let bucket_id = (request.r#type.clone(), request.bucket.clone());
        let props = self.data_type_props(&bucket_id)?;
        let change = Change::read(&request.op)?;
        let kind = Kind::of(&props).ok_or_else(|| Refusal::UnsupportedDatatype(props.datatype.clone()))?;
        if change.kind() != kind {
            return Err(Refusal::wrong_operation(change.kind(), kind));
        }
        quorum::check(&props, request.n_val, &[request.w, request.dw, request.pw], request.node_confirms)?;

        let key = request.key.clone().unwrap_or_else(|| self.identities.key());
        let context = request.context.as_ref().map(Blob::as_slice);
        let update = Update { bucket_id, key: key.clone(), kind, change: &change, context };
        let crdt = self.apply_update(update, &props)?;
        let generated = request.key.is_none().then_some(key);
        if request.return_body != Some(true) {
            return Ok(DtUpdateResp { key: generated, ..DtUpdateResp::default() });
        }
        let answer = update_response(&crdt, request.include_context());
        if kind == Kind::GSet {
            // The update is applied, but Riak fails to encode the answer.
            let elements: Vec<_> = answer.gset_value.iter().map(|element| text::binary(element)).collect();
            let arguments = format!("gset,[{}],undefined,undefined", elements.join(","));
            return Err(Refusal::no_clause("riak_pb_dt_codec", "encode_update_response", &arguments));
        }
        Ok(DtUpdateResp { key: generated, ..answer })
    }

    pub(super) fn get_counter(&mut self, request: &RpbCounterGetReq) -> Result<RpbCounterGetResp, Refusal> {
        let bucket_id = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let props = self.props(&bucket_id)?;
        quorum::check(&props, None, &[request.r, request.pr], request.node_confirms)?;
        let object = self.live(&bucket_id, &request.key, None, &props);
        let kind = Kind::LegacyCounter;
        let value = object.and_then(|object| fetch_response(kind, object.crdt(kind), false).value);
        Ok(RpbCounterGetResp {
            value: value.and_then(|value| value.counter_value),
            ..RpbCounterGetResp::default()
        })
    }

    pub(super) fn update_counter(
        &mut self,
        request: &RpbCounterUpdateReq,
    ) -> Result<RpbCounterUpdateResp, Refusal> {
        let bucket_id = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let props = self.props(&bucket_id)?;
        if props.allow_mult != Some(true) {
            return Err(Refusal::NoSiblingsForCounters);
        }
        quorum::check(&props, None, &[request.w, request.dw, request.pw], request.node_confirms)?;
        let change = Change::Counter(request.amount);
        let kind = Kind::LegacyCounter;
        let update = Update { bucket_id, key: request.key.clone(), kind, change: &change, context: None };
        let crdt = self.apply_update(update, &props)?;
        let value = (request.returnvalue == Some(true)).then(|| update_response(&crdt, false).counter_value);
        Ok(RpbCounterUpdateResp { value: value.flatten(), ..RpbCounterUpdateResp::default() })
    }

    /// Fetches from the default type, which has only the counters of Riak 1.4.
    fn fetch_legacy(&mut self, request: &DtFetchReq) -> Result<DtFetchResp, Refusal> {
        // Fields that the old request lacks are dropped: the timeout and n_val too.
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
        let bucket_id = (Blob::from_static(DEFAULT_TYPE), request.bucket.clone());
        let Some(key) = &request.key else {
            if self.props(&bucket_id)?.allow_mult != Some(true) {
                return Err(Refusal::NoSiblingsForCounters);
            }
            // The old request has no generated keys.
            return Err(Refusal::no_clause("riak_object", "new", "undefined"));
        };
        self.update_counter(&RpbCounterUpdateReq {
            w: request.w,
            dw: request.dw,
            pw: request.pw,
            returnvalue: request.return_body,
            ..RpbCounterUpdateReq::new(request.bucket.clone(), key.clone(), amount)
        })?;
        // Riak drops the value when it converts the old answer to the new one.
        Ok(DtUpdateResp::default())
    }

    /// Returns the properties of a bucket, which has to allow data types.
    fn data_type_props(&self, bucket_id: &BucketId) -> Result<RpbBucketProps, Refusal> {
        let props = self.types.of_bucket(&bucket_id.0, &bucket_id.1);
        let props = props.ok_or_else(|| Refusal::NoBucketType(bucket_id.0.clone()))?;
        if props.allow_mult == Some(true) { Ok(props) } else { Err(Refusal::NoSiblings) }
    }

    /// Returns the object that a read finds, which is never a tombstone.
    fn live(
        &mut self,
        bucket_id: &BucketId,
        key: &Blob,
        n_val: Option<u32>,
        props: &RpbBucketProps,
    ) -> Option<&Object> {
        let tombstone = self.stored(bucket_id, key).filter(|object| object.is_tombstone());
        if let Some(clock) = tombstone.map(|object| object.clock.clone()) {
            self.schedule_reap_after_read(bucket_id, key, &clock, n_val, props);
            return None;
        }
        self.stored(bucket_id, key)
    }

    /// Applies an update to the stored data type, or to a new one.
    fn apply_update(&mut self, update: Update<'_>, props: &RpbBucketProps) -> Result<Crdt, Refusal> {
        let Update { bucket_id, key, kind, change, context } = update;
        let policy = Policy::of(props, bucket_id.0 == *DEFAULT_TYPE);
        let stored = self.stored(&bucket_id, &key).filter(|_| !policy.last_write_wins);
        let mut crdt = match stored.and_then(|stored| stored.crdt(kind)) {
            Some(crdt) => crdt.clone(),
            None => Crdt::new(kind, self.identities.next_epoch(), props.hll_precision),
        };
        crdt.update(change, context, self.clock.now())?;
        let content = RpbContent {
            content_type: Some(Blob::from_static(kind.content_type().as_bytes())),
            ..RpbContent::new(crdt.stored_form())
        };
        self.check_size(&content)?;
        let mut version = self.version(&content, Vec::new(), false);
        version.crdt = Some(crdt.clone());
        let dot = self.identities.next_dot();
        let object = siblings::after_update(self.stored(&bucket_id, &key), dot, version, policy);
        self.buckets.entry(bucket_id).or_default().insert(key, object);
        Ok(crdt)
    }
}
