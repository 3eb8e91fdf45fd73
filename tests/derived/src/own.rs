//! Types as applications declare them, in three sets, no two of which fit into one syntax.
//! The build script prints each set as a schema and compiles that again, so that tests can
//! compare the two.
//!
//! Invariant: this file is compiled into the build script as well, so it depends only on
//! the runtime and Riak's messages.

/// Types that proto2 can express.
pub mod classic {
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime};

    use riak_client::riak::RpbPair;
    use riak_runtime::schema::Schema;
    use riak_runtime::{Blob, Quorum, RiakMessage};

    /// Returns the schema of all types.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::new().with::<AnyShop>().package("classic").import("riak.proto").service("Shop")
    }

    /// All frames.
    #[derive(Clone, Debug, PartialEq, RiakMessage)]
    #[riak(frames)]
    #[allow(clippy::large_enum_variant, reason = "a frame is what its message is")]
    pub enum AnyShop {
        /// A request.
        OrderReq(OrderReq),
        /// Its answer.
        OrderResp(OrderResp),
        /// A request for many answers.
        WatchReq(WatchReq),
        /// A request whose answer is of seconds.
        CountReq(CountReq),
    }

    /// Orders things.
    ///
    /// Twice, if it is sent twice: "never" is what `retry` is without a word.
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 232, response = OrderResp, retry = "if_context", absent = "not_found")]
    #[riak(reserved(9, 100..=120, "gift"))]
    pub struct OrderReq {
        /// Who orders.
        #[riak(tag = 1)]
        pub customer: Blob,
        /// What is ordered.
        #[riak(tag = 2)]
        pub items: Vec<Item>,
        #[riak(oneof, tags(3, 4, 5, 6))]
        pub payment: Option<Payment>,
        #[riak(tag = 7, timeout)]
        pub timeout: Option<u32>,
        #[riak(tag = 8, context)]
        pub context: Option<Blob>,
        #[riak(tag = 10, bucket_type)]
        pub r#type: Option<Vec<u8>>,
        #[riak(tag = 11)]
        pub w: Option<Quorum>,
        #[riak(tag = 12, default = -1, sint64)]
        pub delta: Option<i64>,
        #[riak(tag = 13, default = "inf")]
        pub weight: Option<f64>,
        #[riak(tag = 14, default = "na\"ïve\n")]
        pub note: Option<String>,
        #[riak(tag = 15, default = b"\x00\xff'")]
        pub mark: Option<Blob>,
        #[riak(tag = 16, enum, default = "Blue")]
        pub color: Option<Color>,
        #[riak(tag = 17, default = true)]
        pub loud: Option<bool>,
        #[riak(tag = 18, default = 1.5)]
        pub ratio: Option<f32>,
        /// Of Riak's own.
        #[riak(tag = 19)]
        pub pairs: Vec<RpbPair>,
        #[riak(skip)]
        pub tries: usize,
    }

    /// A thing.
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    pub struct Item {
        #[riak(tag = 1, uint64, with = "millis")]
        pub made: Option<SystemTime>,
        #[riak(tag = 2, packed)]
        pub sizes: Vec<u32>,
        #[riak(tag = 3, fixed64)]
        pub marks: Vec<u64>,
        #[riak(tag = 4)]
        pub parts: Vec<Item>,
        #[riak(tag = 5)]
        pub box_: Option<Box<Item>>,
        #[riak(tag = 6, enum, packed)]
        pub colors: Vec<Color>,
        #[allow(clippy::zero_sized_map_values, reason = "an empty message is a value, too")]
        #[riak(tag = 7, key = sint32)]
        pub by_number: BTreeMap<i32, Nothing>,
        #[riak(tag = 8, enum)]
        pub by_name: BTreeMap<String, Flag>,
        #[riak(tag = 9, bytes, with = "hash")]
        pub id: Hash,
        #[riak(tag = 10)]
        pub level: Level,
    }

    /// Inside another by its name.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(rename = "Item.Level")]
    pub struct Level(#[riak(tag = 1, sfixed32)] pub i32, #[riak(tag = 2)] pub bool);

    /// Empty.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    pub struct Nothing;

    /// How it is paid.
    #[derive(Clone, PartialEq, RiakMessage)]
    #[riak(oneof)]
    pub enum Payment {
        /// In hundredths.
        #[riak(tag = 3)]
        Cents(u64),
        #[riak(tag = 4, secret)]
        Voucher(String),
        #[riak(tag = 5)]
        InKind(Box<Item>),
        #[riak(tag = 6, enum)]
        ByColor(Color),
    }

    /// Colors.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    pub enum Color {
        /// Like blood.
        #[default]
        #[riak(rename = "COLOR_RED")]
        Red = 1,
        #[riak(rename = "COLOR_BLUE")]
        Blue = -2,
    }

    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    pub enum Flag {
        #[default]
        Off,
        On,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 233)]
    pub struct OrderResp {
        #[riak(tag = 1)]
        pub number: u64,
        #[riak(tag = 2)]
        pub end: Option<bool>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 234, response = OrderResp, stream_if = "stream", done = "end", retry = "safe")]
    pub struct WatchReq {
        #[riak(tag = 1)]
        pub stream: Option<bool>,
    }

    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(code = 235, response = OrderResp, stream, done = 2, cost = "long", retry = "if_unsent", bodyless)]
    pub struct CountReq;

    mod millis {
        use super::{Duration, SystemTime};

        pub(super) fn to_wire(time: &SystemTime) -> u64 {
            time.duration_since(SystemTime::UNIX_EPOCH)
                .ok()
                .and_then(|since| since.as_millis().try_into().ok())
                .unwrap_or_default()
        }

        pub(super) fn from_wire(millis: u64) -> Option<SystemTime> {
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
        }
    }

    /// Bytes in a newtype.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Hash(pub Vec<u8>);

    mod hash {
        use super::Hash;

        pub(super) fn to_wire(hash: &Hash) -> &[u8] {
            &hash.0
        }

        #[allow(clippy::unnecessary_wraps, reason = "the shape that the derive asks for")]
        pub(super) fn from_wire(bytes: &[u8]) -> Option<Hash> {
            Some(Hash(bytes.to_vec()))
        }
    }
}

/// Types that proto3 can express.
pub mod modern {
    use std::collections::BTreeMap;

    use riak_runtime::RiakMessage;
    use riak_runtime::schema::Schema;

    /// Returns the schema of all types.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::new().with::<Sample>()
    }

    /// A sample.
    #[derive(Clone, Default, PartialEq, RiakMessage)]
    #[riak(rename = "modern.Sample", code = 240, borrowed = SampleRef)]
    pub struct Sample {
        #[riak(tag = 1, implicit)]
        pub name: String,
        #[riak(tag = 2, implicit)]
        pub data: Vec<u8>,
        #[riak(tag = 3, implicit, sint32)]
        pub delta: i32,
        #[riak(tag = 4, implicit)]
        pub ratio: f64,
        #[riak(tag = 5, enum, implicit)]
        pub size: Size,
        #[riak(tag = 6)]
        pub count: Option<u32>,
        #[riak(tag = 7, packed)]
        pub packed: Vec<i64>,
        #[riak(tag = 8)]
        pub plain: Vec<i64>,
        #[riak(tag = 9, enum)]
        pub sizes: Vec<Size>,
        #[riak(tag = 10)]
        pub first: Option<Box<Sample>>,
        #[riak(tag = 11)]
        pub rest: BTreeMap<u32, Sample>,
        #[riak(tag = 12, secret)]
        pub password: Option<String>,
        #[riak(unknown)]
        pub unknown_fields: riak_runtime::wire::UnknownFields,
    }

    /// The same, borrowed.
    #[derive(Clone, Default, PartialEq, RiakMessage)]
    #[riak(rename = "modern.Sample", code = 240, owned = Sample)]
    pub struct SampleRef<'a> {
        #[riak(tag = 1, implicit)]
        pub name: &'a str,
        #[riak(tag = 2, implicit)]
        pub data: std::borrow::Cow<'a, [u8]>,
        #[riak(tag = 3, implicit, sint32)]
        pub delta: i32,
        #[riak(tag = 4, implicit)]
        pub ratio: f64,
        #[riak(tag = 5, enum, implicit)]
        pub size: Size,
        #[riak(tag = 6)]
        pub count: Option<u32>,
        #[riak(tag = 7, packed)]
        pub packed: Vec<i64>,
        #[riak(tag = 8)]
        pub plain: Vec<i64>,
        #[riak(tag = 9, enum)]
        pub sizes: Vec<Size>,
        #[riak(tag = 10)]
        pub first: Option<Box<SampleRef<'a>>>,
        #[riak(tag = 11)]
        pub rest: BTreeMap<u32, SampleRef<'a>>,
        #[riak(tag = 12, secret)]
        pub password: Option<&'a str>,
        #[riak(unknown)]
        pub unknown_fields: riak_runtime::wire::UnknownFieldsRef<'a>,
    }

    /// Any number.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum, rename = "modern.Size")]
    #[repr(i32)]
    pub enum Size {
        Large = 2,
        #[default]
        Small = 0,
        #[riak(other)]
        Other(i32) = -1,
    }
}

/// Types that only an edition can express.
pub mod mixed {
    use riak_runtime::RiakMessage;
    use riak_runtime::schema::Schema;

    /// Returns the schema of all types.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::new().with::<Mixed<Part>>().package("mixed")
    }

    /// Of all times, and of any parts.
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    #[riak(reserved(50, "old"))]
    pub struct Mixed<T> {
        #[riak(tag = 1)]
        pub required: u32,
        #[riak(tag = 2, implicit)]
        pub implicit: u32,
        #[riak(tag = 3, default = 7)]
        pub optional: Option<u32>,
        #[riak(tag = 4)]
        pub plain: Vec<u32>,
        #[riak(tag = 5, packed)]
        pub packed: Vec<u32>,
        #[riak(tag = 6, group)]
        pub part: Option<T>,
        #[riak(tag = 7)]
        pub parts: Vec<T>,
        #[riak(tag = 8, enum, default = "On")]
        pub state: Option<State>,
        #[riak(tag = 9, enum)]
        pub states: Vec<State>,
        #[riak(tag = 10, enum)]
        pub open: Vec<Open>,
    }

    /// A part.
    #[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
    pub struct Part {
        #[riak(tag = 1)]
        pub name: String,
    }

    /// Closed.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    pub enum State {
        #[default]
        Off = 3,
        On = 4,
    }

    /// Open.
    #[derive(Clone, Copy, Debug, Default, PartialEq, RiakMessage)]
    #[riak(enum)]
    #[repr(i32)]
    pub enum Open {
        #[default]
        Zero,
        One,
        #[riak(other)]
        Number(i32),
    }
}
