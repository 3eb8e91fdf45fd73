//! [`DataType`]: the possible results of reading a data type.
//!
//! Invariant: the answer's type alone decides which of its fields is read.

use riak_runtime::Blob;

use super::context::{Context, Seen};
use super::{MapFields, MapUpdate, SetUpdate};
use crate::riak_dt::dt_fetch_resp;
use crate::riak_dt::{DtFetchResp, MapEntry};

/// A data type, as returned by a read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DataType {
    /// A counter.
    Counter(i64),
    /// A set.
    Set(Set),
    /// A map.
    Map(Map),
    /// The elements of a grow-only set.
    GSet(Vec<Blob>),
    /// The estimated number of distinct elements given to a `HyperLogLog`.
    Hll(u64),
}

/// A set, as returned by a read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Set {
    /// The elements.
    pub elements: Vec<Blob>,
    /// The context of the read, which [`Set::update`] passes on.
    pub context: Option<Context>,
}

impl Set {
    /// Begins an update of the set, which can also remove elements.
    pub fn update(&self) -> SetUpdate<Seen> {
        SetUpdate::with_causality(Seen(self.context.clone()))
    }
}

/// A map, as returned by a read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Map {
    /// The fields, as Riak sent them; [`Map::fields`] finds one by its name.
    pub entries: Vec<MapEntry>,
    /// The context of the read, which [`Map::update`] passes on.
    pub context: Option<Context>,
}

impl Map {
    /// Returns the fields, to be found by name and type.
    ///
    /// ```
    /// # fn example(map: riak_client::Map) {
    /// let fields = map.fields();
    /// let visits = fields.counter("visits").unwrap_or(0);
    /// let street = fields.map("address").and_then(|address| address.register("street"));
    /// # let _ = (visits, street);
    /// # }
    /// ```
    #[must_use]
    pub fn fields(&self) -> MapFields<'_> {
        MapFields::new(&self.entries)
    }

    /// Begins an update of the map, which can also remove fields and elements.
    pub fn update(&self) -> MapUpdate<Seen> {
        MapUpdate::with_causality(Seen(self.context.clone()))
    }
}

impl DataType {
    /// Returns the data type in an answer; `None` if there is none at the key.
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
