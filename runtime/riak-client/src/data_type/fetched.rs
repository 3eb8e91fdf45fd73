//! [`DataType`]: what a read of a data type can find.
//!
//! Invariant: which of the answer's fields counts is decided by its type, and
//! by nothing else.

use riak_runtime::Blob;

use super::context::{Context, Seen};
use super::{MapUpdate, SetUpdate};
use crate::riak_dt::dt_fetch_resp;
use crate::riak_dt::{DtFetchResp, MapEntry};

/// What a read of a data type has found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DataType {
    /// A counter.
    Counter(i64),
    /// A set.
    Set(Set),
    /// A map.
    Map(Map),
    /// A set that only grows.
    GSet(Vec<Blob>),
    /// An estimate of how many distinct elements a `HyperLogLog` has seen.
    Hll(u64),
}

/// A set, as a read has found it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Set {
    /// Its elements.
    pub elements: Vec<Blob>,
    /// What the read has seen.
    pub context: Option<Context>,
}

impl Set {
    /// An update of it, which can remove as well.
    pub fn update(&self) -> SetUpdate<Seen> {
        SetUpdate::over(Seen(self.context.clone()))
    }
}

/// A map, as a read has found it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Map {
    /// Its fields.
    pub entries: Vec<MapEntry>,
    /// What the read has seen.
    pub context: Option<Context>,
}

impl Map {
    /// An update of it, which can remove as well.
    pub fn update(&self) -> MapUpdate<Seen> {
        MapUpdate::over(Seen(self.context.clone()))
    }
}

impl DataType {
    /// What an answer holds; `None` if there is no such value.
    #[must_use]
    pub fn of(answer: DtFetchResp) -> Option<Self> {
        let value = answer.value?;
        let context = answer.context.and_then(Context::from_bytes);
        Some(match answer.r#type {
            dt_fetch_resp::DataType::Counter => Self::Counter(value.counter_value.unwrap_or(0)),
            dt_fetch_resp::DataType::Set => Self::Set(Set { elements: value.set_value, context }),
            dt_fetch_resp::DataType::Map => Self::Map(Map { entries: value.map_value, context }),
            dt_fetch_resp::DataType::Hll => Self::Hll(value.hll_value.unwrap_or(0)),
            dt_fetch_resp::DataType::Gset => Self::GSet(value.gset_value),
        })
    }
}
