//! The message codes, compared with the list that Riak publishes, and the pairs of requests
//! and answers, compared with a table of what that list omits.
//!
//! Invariant: every difference from the published list is an exception below, and every
//! exception is needed.

mod replay;

use riak_client::MessageCode;
use riak_runtime::operation::{Direction, Mode, Operation};
use riak_runtime::{Coded, Message, Request};

use replay::{every_frame, fixture, rows};

/// Codes of the published list that no frame has: these messages only occur inside the answer 101.
const NESTED: [(u8, &str); 2] = [(102, "TsCoverageEntry"), (103, "TsRange")];
/// Codes whose message the published file lacks, since their frames have no body. Here they are
/// declared next to the services.
const BODYLESS: [u8; 11] = [1, 2, 3, 6, 7, 14, 22, 30, 201, 254, 255];
/// The code whose body is not protobuf. It is declared next to the services as well.
const RAW: u8 = 104;
/// A request that the schema allows to stream, but whose answer the server never streams.
const NEVER_STREAMED: u8 = 90;

/// Returns the code, name and module of every message that is a frame.
fn messages() -> Vec<(u8, &'static str, &'static str)> {
    macro_rules! list {
        ($($module:ident: $($message:ident)*;)*) => {
            vec![$($((
                <riak_client::$module::$message as Coded>::CODE,
                <riak_client::$module::$message as Message>::NAME,
                stringify!($module),
            ),)*)*]
        };
    }
    every_frame!(list)
}

#[test]
fn codes_match_the_published_list() {
    let list = fixture("riak_pb_messages.csv");
    let published: Vec<(u8, &str, &str)> = list
        .lines()
        .map(|line| {
            let mut cells = line.split(',');
            let mut cell = || cells.next().unwrap();
            (cell().parse().unwrap(), cell(), cell())
        })
        .collect();
    assert_eq!(published.len(), 101);

    let expected: Vec<_> = published
        .iter()
        .filter(|(code, name, _)| !NESTED.contains(&(*code, name)))
        .map(|(code, name, _)| (*code, *name))
        .collect();
    assert_eq!(expected.len() + NESTED.len(), published.len(), "an unneeded exception");
    let ours: Vec<_> = MessageCode::ALL.map(|code| (u8::from(code), code.name())).into();
    assert_eq!(ours, expected);

    let messages = messages();
    for (code, name) in expected {
        let (_, _, file) = published.iter().find(|row| row.0 == code).unwrap();
        let (_, message, module) =
            messages.iter().find(|row| row.0 == code).unwrap_or_else(|| panic!("{name}"));
        // The services are in a package of their own.
        assert_eq!(message.strip_prefix("riak.").unwrap_or(message), name);
        let exception = BODYLESS.contains(&code) || code == RAW;
        assert_eq!(*module, if exception { "riak_services" } else { file }, "{name}");
        assert!(!exception || *file != "riak_services", "{name} is an unneeded exception");
    }
    assert_eq!(messages.len(), MessageCode::ALL.len());
    for (code, _) in NESTED {
        assert!(MessageCode::try_from(code).is_err(), "{code} is a frame");
    }
    assert_eq!(riak_client::riak_ts::TsCoverageEntry::NAME, NESTED[0].1);
    assert_eq!(riak_client::riak_ts::TsRange::NAME, NESTED[1].1);
}

/// Returns the operation of every request.
fn operations() -> Vec<&'static Operation> {
    macro_rules! list {
        ($($module:ident: $($message:ident)*;)*) => {
            vec![$($(<riak_client::$module::$message as Request>::OPERATION,)*)*]
        };
    }
    list! {
        riak_services: RpbPingReq RpbGetServerInfoReq RpbGetClientIdReq RpbStartTls TsTtbMsg;
        riak: RpbAuthReq RpbGetBucketReq RpbSetBucketReq RpbResetBucketReq RpbGetBucketTypeReq RpbSetBucketTypeReq;
        riak_kv: RpbSetClientIdReq RpbGetReq RpbPutReq RpbDelReq RpbListBucketsReq RpbListKeysReq RpbIndexReq
            RpbCSBucketReq RpbCounterUpdateReq RpbCounterGetReq RpbGetBucketKeyPreflistReq RpbCoverageReq
            RpbRTEReq RpbMapRedReq RpbMembershipReq RpbFetchReq RpbPushReq RpbAaeFoldMergeRootNValReq
            RpbAaeFoldMergeBranchNValReq RpbAaeFoldFetchClocksNValReq RpbAaeFoldMergeTreesRangeReq
            RpbAaeFoldFetchClocksRangeReq RpbAaeFoldFindKeysReq RpbAaeFoldObjectStatsReq RpbAaeFoldReplKeysReq
            RpbAaeFoldFindTombsReq RpbAaeFoldRepairKeysReq RpbAaeFoldListBucketsReq RpbAaeFoldReapTombsReq
            RpbAaeFoldEraseKeysReq;
        riak_dt: DtFetchReq DtUpdateReq;
        riak_search: RpbSearchQueryReq;
        riak_yokozuna: RpbYokozunaIndexGetReq RpbYokozunaIndexPutReq RpbYokozunaIndexDeleteReq
            RpbYokozunaSchemaGetReq RpbYokozunaSchemaPutReq;
        riak_ts: TsQueryReq TsPutReq TsGetReq TsDelReq TsListKeysReq TsCoverageReq;
        riak_repl: RpbReplGetReq RpbReplGetClusterIdReq;
    }
}

#[test]
fn answers_match_the_table() {
    let operations = operations();
    let mut requests = 0;
    for row in rows("code_table.tsv") {
        let [code, name, kind, answer, frames, end, _] = &row[..] else { panic!("{row:?}") };
        let code: u8 = code.parse().unwrap();
        let Ok(known) = MessageCode::try_from(code) else {
            assert_eq!(kind, "nested", "{name}");
            continue;
        };
        assert_eq!(known.name(), name);
        let direction = match &**kind {
            "request" => Direction::Request,
            "response" => Direction::Response,
            "both" => Direction::Both,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(known.direction(), direction, "{name}");
        let operation = operations.iter().find(|operation| operation.request == code);
        if direction == Direction::Response {
            assert!(operation.is_none(), "{name}");
            continue;
        }
        let operation = operation.unwrap_or_else(|| panic!("{name} has no operation"));
        assert_eq!(operation.response.to_string(), *answer, "{name}");
        match (&**frames, operation.mode) {
            ("one", Mode::Unary)
            | ("stream", Mode::Stream(_))
            | ("conditional", Mode::Conditional { .. }) => {}
            ("one", Mode::Conditional { .. }) if code == NEVER_STREAMED => {}
            (frames, mode) => panic!("{name}: the table says {frames}, the schema {mode:?}"),
        }
        assert_eq!(end == "-", frames == "one", "{name}");
        requests += 1;
    }
    assert_eq!((requests, operations.len()), (57, 57));
}
