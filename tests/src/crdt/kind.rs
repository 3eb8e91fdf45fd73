//! [`Kind`]: which data types there are, under the names that Riak has for them.
//!
//! Invariant: what a bucket type may have as its `datatype` is a kind, except
//! that the counters of Riak 1.4 need none.

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType;

/// A data type that has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    LegacyCounter,
    Set,
    Map,
    GSet,
    Hll,
}

impl Kind {
    /// What the buckets with these properties hold; `None` if that is plain
    /// objects, or nothing that Riak knows.
    pub(crate) fn of(props: &RpbBucketProps) -> Option<Self> {
        match props.datatype.as_ref()?.as_slice() {
            b"counter" => Some(Self::Counter),
            b"set" => Some(Self::Set),
            b"map" => Some(Self::Map),
            b"gset" => Some(Self::GSet),
            b"hll" => Some(Self::Hll),
            _ => None,
        }
    }

    /// The name that bucket types and error texts have for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter | Self::LegacyCounter => "counter",
            Self::Set => "set",
            Self::Map => "map",
            Self::GSet => "gset",
            Self::Hll => "hll",
        }
    }

    /// What an answer says that it is.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Counter | Self::LegacyCounter => DataType::Counter,
            Self::Set => DataType::Set,
            Self::Map => DataType::Map,
            Self::GSet => DataType::Gset,
            Self::Hll => DataType::Hll,
        }
    }

    /// What a plain read says that it is.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Counter | Self::LegacyCounter => "application/riak_counter",
            Self::Set => "application/riak_set",
            Self::Map => "application/riak_map",
            Self::GSet => "application/riak_gset",
            Self::Hll => "application/riak_hll",
        }
    }

    /// The module in which Riak has it, which shows in the form that is stored.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::Counter => "riak_dt_pncounter",
            Self::LegacyCounter => "pncounter",
            Self::Set => "riak_dt_orswot",
            Self::Map => "riak_dt_map",
            Self::GSet => "riak_dt_gset",
            Self::Hll => "riak_kv_hll",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_types_name_their_kind() {
        let of = |name: Option<&'static str>| {
            Kind::of(&RpbBucketProps { datatype: name.map(Into::into), ..RpbBucketProps::default() })
        };
        for kind in [Kind::Counter, Kind::Set, Kind::Map, Kind::GSet, Kind::Hll] {
            assert_eq!(of(Some(kind.name())), Some(kind));
        }
        assert_eq!((of(None), of(Some("tree")), of(Some(""))), (None, None, None));
    }
}
