//! The fixtures: recorded exchanges, golden frames, and a list of every message type that
//! is a frame.
//!
//! Invariant: nothing here uses the code that is compared with the fixtures.

// Each test binary uses a part of this module.
#![allow(dead_code, unused_macros, unused_imports)]

pub(crate) mod nature;
pub(crate) mod peer;

use std::fs;
use std::path::PathBuf;

use riak_runtime::Frame;
use serde_json::Value;

/// One line of a transcript.
pub(crate) struct Exchange {
    /// The transcript's file name without its extension.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) send: Vec<Sent>,
    pub(crate) recv: Vec<Named>,
    pub(crate) closed: bool,
}

/// What the client wrote.
pub(crate) enum Sent {
    Frame(Named),
    /// Bytes as they were written, including length and code.
    Raw(Vec<u8>),
}

/// A frame, and the name that the recorder gave it.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) frame: Frame,
    pub(crate) name: Option<String>,
}

/// A row of the table of golden frames.
pub(crate) struct Golden {
    pub(crate) case: String,
    pub(crate) name: String,
    pub(crate) frame: Frame,
}

impl Exchange {
    /// Returns the position of the exchange, for panic messages.
    pub(crate) fn place(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }
}

pub(crate) fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the names of all transcripts, sorted.
pub(crate) fn transcripts() -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Returns the exchanges of a transcript in order.
pub(crate) fn transcript(file: &str) -> Vec<Exchange> {
    fixture(&format!("transcripts/{file}.jsonl")).lines().map(|line| exchange(file, line)).collect()
}

fn exchange(file: &str, line: &str) -> Exchange {
    let line: Value = serde_json::from_str(line).unwrap();
    let frames = |member: &str| line[member].as_array().unwrap().iter();
    let send = frames("send").map(|sent| match sent.get("raw") {
        Some(raw) => Sent::Raw(hex(raw.as_str().unwrap())),
        None => Sent::Frame(named(sent)),
    });
    Exchange {
        file: file.to_owned(),
        name: line["name"].as_str().unwrap().to_owned(),
        send: send.collect(),
        recv: frames("recv").map(named).collect(),
        closed: line["closed"].as_bool().unwrap(),
    }
}

fn named(value: &Value) -> Named {
    let code = u8::try_from(value["code"].as_u64().unwrap()).unwrap();
    let body = hex(value["hex"].as_str().unwrap()).into();
    Named {
        frame: Frame { code, body },
        name: value.get("name").map(|name| name.as_str().unwrap().to_owned()),
    }
}

/// Returns the golden frames.
pub(crate) fn golden() -> Vec<Golden> {
    let rows = rows("golden_frames.tsv").into_iter().map(|row| {
        let bytes = hex(&row[3]);
        let (length, rest) = bytes.split_at(4);
        assert_eq!(u32::from_be_bytes(length.try_into().unwrap()) as usize, rest.len(), "{}", row[0]);
        assert_eq!(rest[0].to_string(), row[1], "{}", row[0]);
        let frame = Frame { code: rest[0], body: rest[1..].into() };
        Golden { case: row[0].clone(), name: row[2].clone(), frame }
    });
    rows.collect()
}

/// Returns the rows of a tab-separated table, without its header.
pub(crate) fn rows(table: &str) -> Vec<Vec<String>> {
    fixture(table).lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Splits off the complete frames at the start of `bytes`. Returns them and the rest.
pub(crate) fn split_frames(mut bytes: &[u8]) -> (Vec<Frame>, &[u8]) {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || rest.len() < length {
            break;
        }
        frames.push(Frame { code: rest[0], body: rest[1..length].into() });
        bytes = &rest[length..];
    }
    (frames, bytes)
}

/// Calls `$each!` with the list of every message that is a frame, in the order of their codes.
macro_rules! every_frame {
    ($each:ident) => {
        $each! {
            riak: RpbErrorResp;
            riak_services: RpbPingReq RpbPingResp RpbGetClientIdReq;
            riak_kv: RpbGetClientIdResp RpbSetClientIdReq;
            riak_services: RpbSetClientIdResp RpbGetServerInfoReq;
            riak: RpbGetServerInfoResp;
            riak_kv: RpbGetReq RpbGetResp RpbPutReq RpbPutResp RpbDelReq;
            riak_services: RpbDelResp;
            riak_kv: RpbListBucketsReq RpbListBucketsResp RpbListKeysReq RpbListKeysResp;
            riak: RpbGetBucketReq RpbGetBucketResp RpbSetBucketReq;
            riak_services: RpbSetBucketResp;
            riak_kv: RpbMapRedReq RpbMapRedResp RpbIndexReq RpbIndexResp;
            riak_search: RpbSearchQueryReq RpbSearchQueryResp;
            riak: RpbResetBucketReq;
            riak_services: RpbResetBucketResp;
            riak: RpbGetBucketTypeReq RpbSetBucketTypeReq;
            riak_kv: RpbGetBucketKeyPreflistReq RpbGetBucketKeyPreflistResp RpbCSBucketReq RpbCSBucketResp
                RpbIndexBodyResp RpbCounterUpdateReq RpbCounterUpdateResp RpbCounterGetReq RpbCounterGetResp;
            riak_yokozuna: RpbYokozunaIndexGetReq RpbYokozunaIndexGetResp RpbYokozunaIndexPutReq
                RpbYokozunaIndexDeleteReq RpbYokozunaSchemaGetReq RpbYokozunaSchemaGetResp RpbYokozunaSchemaPutReq;
            riak_kv: RpbCoverageReq RpbCoverageResp;
            riak_dt: DtFetchReq DtFetchResp DtUpdateReq DtUpdateResp;
            riak_ts: TsQueryReq TsQueryResp TsPutReq TsPutResp TsDelReq TsDelResp TsGetReq TsGetResp
                TsListKeysReq TsListKeysResp TsCoverageReq TsCoverageResp;
            riak_services: TsTtbMsg;
            riak_repl: RpbReplGetReq RpbReplGetClusterIdReq RpbReplGetClusterIdResp;
            riak_kv: RpbRTEReq;
            riak_services: RpbRTEResp;
            riak_kv: RpbFetchReq RpbFetchResp RpbPushReq RpbPushResp RpbMembershipReq RpbMembershipResp
                RpbAaeFoldMergeRootNValReq RpbAaeFoldMergeBranchNValReq RpbAaeFoldFetchClocksNValReq
                RpbAaeFoldMergeTreesRangeReq RpbAaeFoldFetchClocksRangeReq RpbAaeFoldFindKeysReq
                RpbAaeFoldObjectStatsReq RpbAaeFoldReplKeysReq RpbAaeFoldFindTombsReq RpbAaeFoldRepairKeysReq
                RpbAaeFoldTreeResp RpbAaeFoldKeyValueResp RpbAaeFoldKeyCountResp RpbAaeFoldListBucketsReq
                RpbAaeFoldListBucketsResp RpbAaeFoldReapTombsReq RpbAaeFoldEraseKeysReq;
            riak: RpbAuthReq;
            riak_services: RpbAuthResp RpbStartTls;
        }
    };
}
pub(crate) use every_frame;
