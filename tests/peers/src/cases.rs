//! The cases: the messages that are measured, each with all contenders.

use riak_runtime::Message;

use crate::contenders::contend;
use crate::measure::Case;
use crate::values::{bucket, datatype, listing, object, rows, telemetry};

/// The message code for frames of messages that have none.
const ANY_CODE: u8 = 99;

/// Builds the cases with wanted names, and passes each to `then` in turn, so that only the
/// values of one are in memory.
pub(crate) fn each(wanted: &dyn Fn(&str) -> bool, mut then: impl FnMut(Case)) {
    macro_rules! case {
        ($name:literal, $code:expr, $value:expr, $schema:ident :: $message:ident) => {
            if wanted($name) {
                let mut case = Case::new($name, $code, $value.encode_to_vec());
                contend!(&mut case, $schema, $message);
                then(case);
            }
        };
    }
    case!("get_req", 9, object::get_req(), riak_kv::RpbGetReq);
    case!("get_resp_1k", 10, object::get_resp(), riak_kv::RpbGetResp);
    case!("put_req_100", 11, object::put_req(100), riak_kv::RpbPutReq);
    case!("put_req_64k", 11, object::put_req(65_536), riak_kv::RpbPutReq);
    case!("dt_fetch_map50", 81, datatype::map(), riak_dt::DtFetchResp);
    case!("dt_update_map20", 82, datatype::update(), riak_dt::DtUpdateReq);
    case!("list_keys_1000", 18, listing::keys(1000), riak_kv::RpbListKeysResp);
    case!("index_terms_1000", 26, listing::terms(1000), riak_kv::RpbIndexResp);
    case!("ts_query_1000x5", 91, rows::rows(1000), riak_ts::TsQueryResp);
    case!("bucket_props_full", ANY_CODE, bucket::full(), riak::RpbBucketProps);
    case!("bucket_props_sparse", ANY_CODE, bucket::sparse(), riak::RpbBucketProps);
    case!("telemetry_batch", ANY_CODE, telemetry::batch(), telemetry::Batch);
}
