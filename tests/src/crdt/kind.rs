//! [`Kind`]: the data types, with Riak's names for them.
//!
//! Invariant: every valid `datatype` of a bucket type is a kind. The counters of
//! Riak 1.4 are a kind that needs no `datatype`.

use riak_client::riak::RpbBucketProps;
use riak_client::riak_dt::dt_fetch_resp::DataType;

/// A data type with a key of its own.
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
    /// Returns the kind of the buckets with these properties, or `None` if they hold
    /// plain objects, or Riak does not know the `datatype`.
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

    /// Returns the name that bucket types and error texts use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter | Self::LegacyCounter => "counter",
            Self::Set => "set",
            Self::Map => "map",
            Self::GSet => "gset",
            Self::Hll => "hll",
        }
    }

    /// Returns the type that answers report.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Counter | Self::LegacyCounter => DataType::Counter,
            Self::Set => DataType::Set,
            Self::Map => DataType::Map,
            Self::GSet => DataType::Gset,
            Self::Hll => DataType::Hll,
        }
    }

    /// Returns the content type that a plain read reports.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Counter | Self::LegacyCounter => "application/riak_counter",
            Self::Set => "application/riak_set",
            Self::Map => "application/riak_map",
            Self::GSet => "application/riak_gset",
            Self::Hll => "application/riak_hll",
        }
    }

    /// Returns the name of Riak's module, which shows in the stored form.
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
