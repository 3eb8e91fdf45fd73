//! The recorded exchanges, replayed against the in-memory node over TCP.
//!
//! The codes and their order, connection closes, error texts and decoded contents must be
//! equal. What may differ is listed: values, by their path, in `replay/nature.rs`, and the
//! split of streams into frames below. Invariant: requests equal the recorded ones byte for
//! byte, except for the vclocks and contexts that they echo.

mod replay;

use std::collections::BTreeSet;
use std::time::Duration;

use riak_client::riak::{RpbBucketProps, RpbPair, RpbSetBucketReq};
use riak_client::riak_kv::{RpbContent, RpbCounterUpdateReq, RpbGetResp, RpbPutReq};
use riak_client::{AnyMessage, Riak};
use riak_runtime::{Blob, Frame, WriteBuffer};
use riak_testkit::{Clock, Node, Store};

use replay::nature::{Mapping, Nature};
use replay::peer::Peer;
use replay::{Exchange, Named, Sent, transcript};

/// The transcripts that the node has to replay, in the order in which they were recorded.
const FILES: [&str; 7] = ["server", "kv", "siblings", "buckets", "datatypes", "listing", "index"];

/// Streams whose answers may differ in number, since the node sends a part for each
/// partition, and each scan asks other partitions. Their lists are compared as a whole, in
/// order if the answer is sorted.
const STREAMED: [(u8, &str); 4] = [
    (16, "RpbListBucketsResp.buckets, unsorted"),
    (18, "RpbListKeysResp.keys, unsorted"),
    (26, "RpbIndexResp.keys and .results, sorted if the request asks for pages"),
    (41, "RpbCSBucketResp.objects, sorted"),
];

/// Exchanges in which a stream times out. Which keys arrive in time may differ, so they are
/// only checked to be a subset of all keys.
const CUT_SHORT: [(&str, &str); 1] = [("listing", "list-keys-timeout-1ms")];

/// Adds what the recorded node held besides the data of the transcripts.
fn fill(store: &Store) {
    let put = |bucket: &str, key: String, content: RpbContent| {
        let request = RpbPutReq { key: Some(key.into()), ..RpbPutReq::new(bucket, content) };
        store.put(&request).unwrap();
    };
    for bucket in ["recorded", "pp", "lk", "big", "tb", "ix", "bench", "cc"] {
        put(bucket, "k".to_owned(), RpbContent::new("v"));
    }
    for number in 0..250 {
        let index = |name: &str, term: String| RpbPair { value: Some(term.into()), ..RpbPair::new(name) };
        let indexes =
            vec![index("n_int", number.to_string()), index("s_bin", format!("s{:03}", number % 10))];
        let content = RpbContent { indexes, ..RpbContent::new(format!("v{number}")) };
        put("many", format!("key-{number:04}"), content);
    }
}

/// Creates the counter of Riak 1.4 that the recorded node held from an earlier run: the
/// transcript adds 2 and reads 4.
async fn create_legacy_counter(node: &Node) {
    let riak = Riak::connect(node.addr()).await.unwrap();
    let props = RpbBucketProps { allow_mult: Some(true), ..RpbBucketProps::default() };
    riak.buckets().set_props(RpbSetBucketReq::new("legacy", props)).await.unwrap();
    riak.kv().update_counter(RpbCounterUpdateReq::new("legacy", "lc", 2)).await.unwrap();
}

/// Starts a node with the settings of the recorded one.
async fn node() -> Node {
    Node::builder()
        .data_types()
        .bucket_type("siblings", &RpbBucketProps::default())
        .advertise(([127, 0, 0, 1], 8087))
        // No tombstone is reaped while the transcripts run.
        .clock(Clock::manual(Duration::from_micros(1_700_000_000_654_321)))
        // Two parts of a scan fit into the timeout of 1 ms that one request has.
        .part_time(Duration::from_micros(400))
        .start()
        .await
        .unwrap()
}

/// Decodes the frames of an exchange and merges the answers of each stream into one message.
fn merge_streams(frames: &[Frame], place: &str) -> Vec<AnyMessage> {
    let mut messages: Vec<AnyMessage> = Vec::new();
    for frame in frames {
        let message = AnyMessage::decode(frame).unwrap_or_else(|error| panic!("{place}: {error}"));
        match (messages.last_mut(), message) {
            (Some(AnyMessage::RpbListBucketsResp(all)), AnyMessage::RpbListBucketsResp(part)) => {
                all.buckets.extend(part.buckets);
                assert_eq!(all.done.take(), None, "{place}: more behind the end");
                all.done = part.done;
            }
            (Some(AnyMessage::RpbListKeysResp(all)), AnyMessage::RpbListKeysResp(part)) => {
                all.keys.extend(part.keys);
                assert_eq!(all.done.take(), None, "{place}: more behind the end");
                all.done = part.done;
            }
            (Some(AnyMessage::RpbIndexResp(all)), AnyMessage::RpbIndexResp(part)) => {
                all.keys.extend(part.keys);
                all.results.extend(part.results);
                assert_eq!(all.continuation.take(), None, "{place}: a continuation before the end");
                all.continuation = part.continuation;
                assert_eq!(all.done.take(), None, "{place}: more behind the end");
                all.done = part.done;
            }
            (Some(AnyMessage::RpbCSBucketResp(all)), AnyMessage::RpbCSBucketResp(part)) => {
                all.objects.extend(part.objects);
                assert_eq!(all.continuation.take(), None, "{place}: a continuation before the end");
                all.continuation = part.continuation;
                assert_eq!(all.done.take(), None, "{place}: more behind the end");
                all.done = part.done;
            }
            (_, message) => messages.push(message),
        }
    }
    messages
}

/// Sorts the lists whose order is not specified.
fn sort(message: &mut AnyMessage, request: Option<&AnyMessage>) {
    match message {
        AnyMessage::RpbListBucketsResp(answer) => answer.buckets.sort(),
        AnyMessage::RpbListKeysResp(answer) => answer.keys.sort(),
        AnyMessage::RpbIndexResp(answer) => {
            let Some(AnyMessage::RpbIndexReq(request)) = request else { panic!("an answer to no query") };
            let sorted = request.max_results.is_some()
                || request.continuation.is_some()
                || request.pagination_sort == Some(true);
            if !sorted {
                answer.keys.sort();
                answer.results.sort_by(|one, other| (&one.key, &one.value).cmp(&(&other.key, &other.value)));
            }
        }
        _ => {}
    }
}

/// One replay: the node, and the mapping of its values to the recorded ones.
struct Replay {
    node: Node,
    mapping: Mapping,
    streams: BTreeSet<u8>,
    table: Vec<String>,
}

impl Replay {
    async fn new() -> Self {
        Self { node: node().await, mapping: Mapping::default(), streams: BTreeSet::new(), table: Vec::new() }
    }

    /// Replays the exchanges of a file on one connection, and on a new one after each close.
    async fn file(&mut self, exchanges: &[Exchange]) {
        let mut peer = Peer::connect(self.node.addr()).await;
        for exchange in exchanges {
            self.exchange(exchange, &mut peer).await;
            if exchange.closed {
                peer.expect_closed(&exchange.place()).await;
                peer = Peer::connect(self.node.addr()).await;
            } else {
                peer.expect_idle(&exchange.place()).await;
            }
        }
    }

    async fn exchange(&mut self, exchange: &Exchange, peer: &mut Peer) {
        let place = exchange.place();
        let mut request = None;
        for sent in &exchange.send {
            match sent {
                Sent::Frame(sent) => {
                    let mut message = AnyMessage::decode(&sent.frame).unwrap();
                    self.mapping.translate(&mut message, &place);
                    let mut out = WriteBuffer::new();
                    message.write_to(&mut out).unwrap();
                    peer.write(&out.to_vec()).await;
                    request = Some(message);
                }
                Sent::Raw(bytes) => peer.write(bytes).await,
            }
        }
        let recorded: Vec<Frame> = exchange.recv.iter().map(|Named { frame, .. }| frame.clone()).collect();
        let ours = read_like(&recorded, peer, &place).await;
        let cut_short = CUT_SHORT.contains(&(&exchange.file, &exchange.name));
        let paths = self.compare(&recorded, &ours, request.as_ref(), cut_short, &place);

        let end = if exchange.closed { " + close" } else { "" };
        let paths: Vec<_> = paths.into_iter().collect();
        self.table.push(format!(
            "{:<34} {:<22} {:>6} bytes{end}  {}",
            place,
            codes(&recorded),
            recorded.iter().map(|frame| frame.body.len()).sum::<usize>(),
            if paths.is_empty() { "all of it".to_owned() } else { format!("all but {}", paths.join(", ")) },
        ));
    }

    /// Compares all messages. Returns the paths of the values that were left out.
    fn compare(
        &mut self,
        recorded: &[Frame],
        ours: &[Frame],
        request: Option<&AnyMessage>,
        cut_short: bool,
        place: &str,
    ) -> BTreeSet<&'static str> {
        let mut paths = BTreeSet::new();
        let (theirs, mine) = (merge_streams(recorded, place), merge_streams(ours, place));
        let codes = |messages: &[AnyMessage]| {
            messages.iter().map(|message| message.code().name()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&mine), codes(&theirs), "{place}: {mine:?}");
        for (mut theirs, mut mine) in theirs.into_iter().zip(mine) {
            if STREAMED.iter().any(|(code, _)| *code == u8::from(theirs.code())) {
                self.streams.insert(theirs.code().into());
            }
            if cut_short
                && let (AnyMessage::RpbListKeysResp(theirs), AnyMessage::RpbListKeysResp(mine)) =
                    (&theirs, &mine)
            {
                self.check_part(&theirs.keys, place);
                self.check_part(&mine.keys, place);
                assert_eq!((theirs.done, mine.done), (None, None), "{place}");
                continue;
            }
            sort(&mut theirs, request);
            sort(&mut mine, request);
            paths.extend(self.mapping.take(&mut theirs, &mut mine, place));
            assert_eq!(mine, theirs, "{place}");
        }
        paths
    }

    /// Checks that the keys are a proper subset of the bucket's, without duplicates.
    fn check_part(&self, keys: &[Blob], place: &str) {
        let all: BTreeSet<Blob> = self.node.store().keys("default", "many").into_iter().collect();
        let part: BTreeSet<Blob> = keys.iter().cloned().collect();
        assert!(part.is_subset(&all) && part.len() == keys.len(), "{place}: {keys:?}");
        assert!(!part.is_empty() && part.len() < all.len(), "{place}: {} keys came in time", part.len());
    }
}

/// Reads the answers to a request: as many frames as were recorded or, for a stream, all
/// until its end.
async fn read_like(recorded: &[Frame], peer: &mut Peer, place: &str) -> Vec<Frame> {
    let streamed = recorded.len() > 1 && STREAMED.iter().any(|(code, _)| *code == recorded[0].code);
    let mut ours = Vec::new();
    loop {
        let ended = match ours.last() {
            None => recorded.is_empty(),
            Some(last) if streamed => is_end(last),
            Some(_) => ours.len() == recorded.len(),
        };
        if ended {
            return ours;
        }
        let frame = peer.read().await;
        ours.push(frame.unwrap_or_else(|| panic!("{place}: the node closed after {}", codes(&ours))));
    }
}

/// Reports whether this frame ends a stream.
fn is_end(frame: &Frame) -> bool {
    match AnyMessage::decode(frame).unwrap() {
        AnyMessage::RpbListBucketsResp(answer) => answer.done == Some(true),
        AnyMessage::RpbListKeysResp(answer) => answer.done == Some(true),
        AnyMessage::RpbIndexResp(answer) => answer.done == Some(true),
        AnyMessage::RpbCSBucketResp(answer) => answer.done == Some(true),
        _ => true,
    }
}

fn codes(frames: &[Frame]) -> String {
    frames.iter().map(|frame| frame.code.to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_node_answers_as_the_recorded_one() {
    let mut replay = Replay::new().await;
    let mut exchanges = 0;
    for file in FILES {
        if file == "datatypes" {
            create_legacy_counter(&replay.node).await;
        }
        if file == "listing" {
            fill(replay.node.store());
        }
        let recorded = transcript(file);
        exchanges += recorded.len();
        replay.file(&recorded).await;
    }
    println!("{:<34} {:<22} compared", "exchange", "codes recorded");
    for row in &replay.table {
        println!("{row}");
    }
    println!("values that only have to be the same where they were the same: {:?}", replay.mapping.counts());
    println!("streams compared put together: {STREAMED:?}");
    assert_eq!(replay.table.len(), exchanges);
    replay.mapping.assert_all_seen();
    assert!(replay.mapping.counts()[&Nature::Vclock] > 5);
    assert_eq!(replay.mapping.counts()[&Nature::Context], 3);
    assert_eq!(replay.streams, STREAMED.iter().map(|(code, _)| *code).collect(), "an unneeded exception");
}

/// Exchanges of `faults` that a node may answer in several ways, since a request behind a
/// streaming one is a race.
const RACES: [&str; 2] = ["pipelined-after-stream", "two-streams-back-to-back"];

#[tokio::test]
async fn the_node_handles_faults_as_the_recorded_one() {
    let mut replay = Replay::new().await;
    // The data that the recorded node held by then, as far as these exchanges read it.
    for file in ["kv", "faults"] {
        let recorded = transcript(file);
        let played: Vec<_> =
            recorded.into_iter().filter(|exchange| !RACES.contains(&&*exchange.name)).collect();
        let mut peer = Peer::connect(replay.node.addr()).await;
        for exchange in &played {
            replay.exchange(exchange, &mut peer).await;
            let place = exchange.place();
            if exchange.closed {
                peer.expect_closed(&place).await;
            } else if exchange.name != "half-frame-then-rest" {
                peer.expect_idle(&place).await;
                continue;
            }
            peer = Peer::connect(replay.node.addr()).await;
        }
    }
}

#[tokio::test]
async fn services_absent_from_the_recorded_node_are_absent_here() {
    let mut replay = Replay::new().await;
    replay.file(&transcript("absent-services")).await;
}

#[tokio::test]
#[should_panic(expected = "server: server-info")]
async fn a_wrong_answer_is_detected() {
    let mut replay =
        Replay { node: Node::builder().version("3.2.4").start().await.unwrap(), ..Replay::new().await };
    replay.file(&transcript("server")).await;
}

#[tokio::test]
#[should_panic(expected = "siblings: get-two")]
async fn a_lost_sibling_is_detected() {
    let single = RpbBucketProps { allow_mult: Some(false), ..RpbBucketProps::default() };
    let node = Node::builder().bucket_type("siblings", &single).start().await.unwrap();
    let mut replay = Replay { node, ..Replay::new().await };
    replay.file(&transcript("siblings")).await;
}

#[test]
#[should_panic(expected = "was the same before, and is not now")]
fn a_vclock_that_changes_by_itself_is_detected() {
    let answer =
        |vclock: &str| AnyMessage::from(RpbGetResp { vclock: Some(vclock.into()), ..RpbGetResp::default() });
    let mut mapping = Mapping::default();
    mapping.take(&mut answer("recorded"), &mut answer("ours"), "first");
    mapping.take(&mut answer("recorded"), &mut answer("another"), "second");
}
