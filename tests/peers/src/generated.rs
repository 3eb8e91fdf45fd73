//! The code that each generator made from the same schemas.
//!
//! Invariant: `generated::<contender>::<schema>::<Message>` names a message for every
//! contender, however its generator arranges modules.

#![allow(warnings, clippy::all, clippy::pedantic, reason = "others' code")]

/// Defines the modules of schemas without a package, which some generators put into one module.
macro_rules! one_namespace {
    ($root:ident) => {
        pub mod riak {
            pub use super::$root::*;
        }
        pub mod riak_dt {
            pub use super::$root::*;
        }
        pub mod riak_kv {
            pub use super::$root::*;
        }
        pub mod riak_ts {
            pub use super::$root::*;
        }
    };
}

pub mod riak {
    pub use riak_client::{riak, riak_dt, riak_kv, riak_ts};
    mod own {
        include!(concat!(env!("OUT_DIR"), "/riak/mod.rs"));
    }
    pub use own::telemetry;
}

/// The same messages as derived types.
pub mod derived {
    mod root {
        use riak_runtime::{Blob, Quorum, RiakMessage, wire};

        include!(concat!(env!("OUT_DIR"), "/derived.rs"));
    }
    one_namespace!(root);
    pub mod telemetry {
        pub use super::root::telemetry_Batch as Batch;
    }
}

pub mod prost {
    mod root {
        include!(concat!(env!("OUT_DIR"), "/prost/_.rs"));
    }
    one_namespace!(root);
    pub mod telemetry {
        include!(concat!(env!("OUT_DIR"), "/prost/telemetry.rs"));
    }
}

pub mod prost_bytes {
    mod root {
        include!(concat!(env!("OUT_DIR"), "/prost_bytes/_.rs"));
    }
    one_namespace!(root);
    pub mod telemetry {
        include!(concat!(env!("OUT_DIR"), "/prost_bytes/telemetry.rs"));
    }
}

pub mod rust_protobuf {
    include!(concat!(env!("OUT_DIR"), "/rust_protobuf/mod.rs"));
}

pub mod quick_protobuf {
    include!(concat!(env!("OUT_DIR"), "/quick_protobuf/mod.rs"));
}

pub mod buffa {
    mod root {
        include!(concat!(env!("OUT_DIR"), "/buffa/mod.rs"));
    }
    one_namespace!(root);
    pub use root::telemetry;
}

#[cfg(feature = "google")]
pub mod google {
    use google_peer as root;
    one_namespace!(root);
    pub use google_peer as telemetry;
}
