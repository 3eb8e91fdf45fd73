//! Derived requests: calling, streaming, serving, and decoding frames by code.

use std::time::Duration;

use riak_runtime::client::{CallExt, Connection, ServerError};
use riak_runtime::operation::{Cost, ErrorFrame, Mode, Retry, StreamEnd};
use riak_runtime::server::{
    ErrorReply, Failure, Replies, Server, ServerConfig, StreamHandler, streaming, unary,
};
use riak_runtime::{Blob, Coded, Decode, Frame, Message, Request, RiakMessage, WriteBuffer};
use tokio::net::TcpListener;

/// Asks for the price of an item.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 210, response = PriceResp, retry = "safe", borrowed = PriceReqRef)]
struct PriceReq {
    #[riak(tag = 1)]
    item: Blob,
    #[riak(tag = 2, timeout)]
    timeout: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 210, response = PriceResp, owned = PriceReq)]
struct PriceReqRef<'a> {
    #[riak(tag = 1)]
    item: &'a [u8],
    #[riak(tag = 2, timeout)]
    timeout: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 211)]
struct PriceResp {
    #[riak(tag = 1)]
    cents: u64,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 212, response = ListResp, stream, done = "done", cost = "long")]
struct ListReq;

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 213)]
struct ListResp {
    #[riak(tag = 1)]
    items: Vec<Blob>,
    #[riak(tag = 3)]
    done: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 214, response = ListResp, stream_if = "stream", done = 3)]
struct FindReq {
    #[riak(tag = 1)]
    stream: Option<bool>,
}

/// As `TsQueryResp`: an answer is the last one unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 216)]
struct RowsResp {
    #[riak(tag = 1)]
    rows: Vec<u32>,
    #[riak(tag = 3, default = true)]
    done: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 215, response = RowsResp, stream, done = 3)]
struct RowsReq;

struct Rows;

impl StreamHandler<RowsReq> for Rows {
    async fn handle(&self, _: RowsReq, replies: &mut Replies<'_, RowsResp>) -> Result<(), Failure> {
        replies.send(&RowsResp { rows: vec![1], done: Some(false) }).await?;
        replies.send(&RowsResp { rows: vec![2], done: None }).await
    }
}

/// All frames of the shop.
#[derive(Clone, Debug, PartialEq, RiakMessage)]
#[riak(frames)]
enum AnyShop {
    Price(PriceReq),
    PriceAnswer(PriceResp),
    List(ListReq),
    ListAnswer(ListResp),
}

struct Items(Vec<&'static str>);

impl StreamHandler<ListReq> for Items {
    async fn handle(&self, _: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        for item in &self.0 {
            replies.send(&ListResp { items: vec![(*item).into()], done: None }).await?;
        }
        Ok(())
    }
}

async fn price(request: PriceReq) -> Result<PriceResp, Failure> {
    if request.item.is_empty() {
        return Err(ErrorReply::new("no such item").into());
    }
    Ok(PriceResp { cents: request.item.len() as u64 })
}

#[tokio::test]
async fn derived_requests_are_served_and_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let services = (unary::<PriceReq, _>(price), streaming::<ListReq, _>(Items(vec!["apple", "pear"])));
    let task = tokio::spawn(Server::new(ServerConfig::default()).serve(listener, services));

    let connection = Connection::connect(address).await.unwrap();
    let answer = connection.call(&PriceReq { item: "apple".into(), timeout: None }).await.unwrap();
    assert_eq!(answer, PriceResp { cents: 5 });
    let answer = connection.call(&PriceReqRef { item: b"plum", timeout: None }).await.unwrap();
    assert_eq!(answer, PriceResp { cents: 4 });
    let error = connection.call(PriceReq::default()).await.unwrap_err();
    assert_eq!(
        error.server_error().map(|error: &ServerError| error.text.to_string_lossy().into_owned()).as_deref(),
        Some("no such item")
    );

    let mut answers = connection.call_stream(&ListReq).await.unwrap();
    let mut items = Vec::new();
    while let Some(answer) = answers.next().await {
        items.extend(answer.unwrap().items);
    }
    assert_eq!(items, [Blob::from("apple"), Blob::from("pear")]);
    task.abort();
}

#[tokio::test]
async fn an_answer_without_done_is_the_last_one_if_the_default_is_true() {
    assert_eq!(RowsReq::OPERATION.mode, Mode::Stream(StreamEnd { field: 3, when_absent: true }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = streaming::<RowsReq, _>(Rows);
    let task = tokio::spawn(Server::new(ServerConfig::default()).serve(listener, service));

    let connection = Connection::connect(address).await.unwrap();
    let mut answers = connection.call_stream(&RowsReq).await.unwrap();
    let mut rows = Vec::new();
    while let Some(answer) = answers.next().await {
        rows.push(answer.unwrap().rows);
    }
    assert_eq!(rows, [[1], [2]]);
    task.abort();
}

#[test]
fn operation_matches_the_attributes() {
    let operation = PriceReq::OPERATION;
    assert_eq!((operation.name, operation.request, operation.response), ("PriceReq", 210, 211));
    assert_eq!((operation.retry, operation.cost, operation.mode), (Retry::Safe, Cost::Unary, Mode::Unary));
    assert_eq!(operation.error, Some(ErrorFrame::RIAK));
    assert_eq!(operation.timeout, Some(2));
    assert_eq!(PriceReqRef::OPERATION, operation);
    let request = PriceReqRef { item: b"x", timeout: Some(5) };
    assert_eq!(request.server_timeout(), Some(Duration::from_millis(5)));

    let end = StreamEnd { field: 3, when_absent: false };
    assert_eq!((ListReq::OPERATION.mode, ListReq::OPERATION.cost), (Mode::Stream(end), Cost::Long));
    assert_eq!(FindReq::OPERATION.mode, Mode::Conditional { end, stream_if: 1 });
    assert_eq!(FindReq { stream: Some(true) }.asks_for_stream(), Some(true));
}

#[test]
fn frames_are_decoded_by_code() {
    let message = AnyShop::from(PriceResp { cents: 7 });
    assert_eq!(message.code(), PriceResp::CODE);
    let mut buffer = WriteBuffer::new();
    message.write_to(&mut buffer).unwrap();
    let bytes = buffer.to_vec();
    assert_eq!(bytes[..5], [0, 0, 0, 3, 211]);
    let frame = Frame { code: bytes[4], body: Blob::from(&bytes[5..]) };
    assert_eq!(AnyShop::decode(&frame).unwrap(), message);
    let unknown = Frame { code: 9, body: Blob::new() };
    assert_eq!(
        AnyShop::decode(&unknown).unwrap_err().to_string(),
        "a frame with message code 9 is not expected here"
    );
    assert_eq!(PriceResp::decode(&bytes[5..]).unwrap().encode_to_vec(), bytes[5..]);
}
