//! Tests generated clients and servers over a connection.

use std::future::Future;

use riak_runtime::client::{Call, CallError, Connection};
use riak_runtime::operation::{Absent, Cost, Mode, Retry};
use riak_runtime::server::{ErrorReply, Failure, Replies, Server, Service};
use riak_runtime::{Coded, Frame, Quorum, Request};

use super::generated::acme::calls::{
    Bare, BareRef, Elsewhere, Empty, EmptyService, Fault, GetReq, GetReqRef, GetResp, Gone, GoneService,
    ListReq, ListReqRef, ListResp, Login, LoginRef, Loose, Pong, RawReq, RawReqRef, RawResp, ScanReq,
    ScanReqRef, ScanResp, Store, StoreGetAnswer, StoreScanAnswer, StoreServer, StoreService, nested,
};
use super::generated::acme::stock::Item;
use super::generated::acme::stock::part::{Part, PartRef};
use super::generated::{AnyMessage, MessageCode};

/// A server with an operation of every kind.
struct Shop;

impl StoreServer for Shop {
    async fn get(&self, request: GetReq) -> Result<StoreGetAnswer, Failure> {
        match &request.key[..] {
            b"gone" => Ok(Gone { why: Some("sold".to_owned()), ..Gone::default() }.into()),
            b"bad" => Err(ErrorReply::new("no such thing").with_number(404).into()),
            _ => Ok(GetResp { value: Some(request.key), ..GetResp::default() }.into()),
        }
    }

    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        for number in 0..3 {
            let key = format!("{}{number}", request.prefix.as_deref().unwrap_or_default());
            replies.send(&ListResp { keys: vec![key.into()], ..ListResp::default() }).await?;
        }
        Ok(())
    }

    async fn scan(&self, request: ScanReq) -> Result<StoreScanAnswer, Failure> {
        Ok(ScanResp { key: Some(request.key), ..ScanResp::default() }.into())
    }

    async fn scan_stream(
        &self,
        request: ScanReq,
        replies: &mut Replies<'_, ScanResp>,
    ) -> Result<(), Failure> {
        replies
            .send(&ScanResp { key: Some(request.key.clone()), last: Some(false), ..ScanResp::default() })
            .await?;
        replies.send(&ScanResp { key: Some(request.key), last: Some(true), ..ScanResp::default() }).await
    }

    async fn ping(&self, _: super::generated::acme::calls::PingReq) -> Result<Pong, Failure> {
        Ok(Pong::default())
    }

    async fn self_(&self, request: RawReq) -> Result<RawResp, Failure> {
        Ok(RawResp { body: request.body })
    }

    async fn log_in(&self, request: Login) -> Result<Pong, Failure> {
        if &request.password[..] == b"hunter2" {
            Ok(Pong::default())
        } else {
            Err(ErrorReply::new("no").into())
        }
    }

    async fn new_(&self, request: nested::Req) -> Result<nested::Resp, Failure> {
        Ok(nested::Resp { a: request.a, ..nested::Resp::default() })
    }
}

/// Runs a test with a connection to a server of `service`.
fn with<S: Service, T: Future<Output = ()>>(service: S, test: impl FnOnce(Connection) -> T) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::default();
        tokio::spawn(async move { server.serve(listener, service).await });
        test(Connection::connect(address).await.unwrap()).await;
    });
}

#[test]
fn unary_calls() {
    with(StoreService(Shop), |connection| async move {
        let store = Store::new(&connection);
        let found = store.get(GetReqRef { key: b"key", ..GetReqRef::default() }).await.unwrap();
        assert_eq!(found.value.as_deref(), Some(&b"key"[..]));
        assert_eq!(store.ping().await.unwrap(), Pong::default());
        let part = nested::Req { a: Some("a".to_owned()), ..nested::Req::default() };
        assert_eq!(store.new_(&part).await.unwrap().a, part.a);
        store.log_in(Login::new("user", "hunter2")).await.unwrap();
        let raw = RawReq { body: "\u{0}raw".into() };
        assert_eq!(store.self_(&raw).await.unwrap().body, raw.body);
        let error = store.get(GetReq::new("bad")).await.unwrap_err();
        assert!(matches!(&error, CallError::Server(_)), "{error:?}");
        assert!(error.to_string().contains("no such thing"), "{error}");
    });
}

#[test]
fn alternative_answers() {
    with(StoreService(Shop), |connection| async move {
        let store = Store::new(&connection);
        let gone = store.get_any(GetReq::new("gone")).await.unwrap();
        assert!(matches!(gone, StoreGetAnswer::Gone(Gone { why: Some(why), .. }) if why == "sold"));
        assert!(matches!(store.get_any(GetReq::new("x")).await.unwrap(), StoreGetAnswer::GetResp(_)));
        // A method that returns only the regular response fails with an alternative one.
        let error = store.get(GetReq::new("gone")).await.unwrap_err();
        assert!(matches!(error, CallError::Alternative(frame) if frame.code == Gone::CODE));
    });
}

#[test]
fn streams() {
    with(StoreService(Shop), |connection| async move {
        let store = Store::new(&connection);
        let mut keys =
            store.list(ListReq { prefix: Some("k".to_owned()), ..ListReq::default() }).await.unwrap();
        let mut found = Vec::new();
        while let Some(part) = keys.next().await {
            found.extend(part.unwrap().keys);
        }
        assert_eq!(found, ["k0", "k1", "k2"].map(riak_runtime::Blob::from));
        // The same request, unary and as a stream.
        let request = ScanReq::new("key");
        assert_eq!(store.scan(&request).await.unwrap().key, Some(request.key.clone()));
        let all = store.scan_stream(&request).await.unwrap().all().await.unwrap();
        assert_eq!(all.len(), 2);
    });
}

#[test]
#[allow(deprecated, reason = "the schema deprecates one of the methods")]
fn unimplemented_methods_return_an_error() {
    with(StoreService(Shop), |connection| async move {
        let store = Store::new(&connection);
        for error in [store.call(Part::default()).await.unwrap_err(), store.r#type().await.unwrap_err()] {
            assert!(error.to_string().contains("Unknown message code"), "{error}");
        }
        // The connection remains usable.
        store.ping().await.unwrap();
    });
}

#[test]
fn services_compose() {
    struct Loosely;
    impl super::generated::acme::calls::GoneServer for Loosely {
        async fn ping(&self, request: Loose) -> Result<Loose, Failure> {
            Ok(request)
        }
    }
    let both = (GoneService(Loosely), StoreService(Shop));
    assert!(both.serves(200) && both.serves(11) && !both.serves(12) && !EmptyService(Nobody).serves(11));
    with(both, |connection| async move {
        let loose = Loose { unix: Some(1), ..Loose::default() };
        assert_eq!(super::generated::acme::calls::Gone_::new(&connection).ping(&loose).await.unwrap(), loose);
        Store::new(&connection).ping().await.unwrap();
    });
}

struct Nobody;
impl super::generated::acme::calls::EmptyServer for Nobody {}

#[test]
fn operations_have_their_declared_facts() {
    let get = GetReq::OPERATION;
    assert_eq!((get.name, get.request, get.response), ("Store.Get", 11, 12));
    assert_eq!((get.retry, get.absent, get.cost), (Retry::Safe, Absent::NotFound, Cost::Unary));
    assert_eq!((get.since, get.served_by, get.timeout), (Some("1.0"), Some("store"), Some(3)));
    assert_eq!(get.error.map(|error| (error.code, error.text, error.number)), Some((10, 1, Some(2))));
    assert_eq!(GetReqRef::OPERATION, get);
    assert_eq!(<&GetReq as Request>::OPERATION, get);
    let timed = GetReq { timeout: Some(1500), ..GetReq::new("k") };
    assert_eq!(timed.server_timeout(), Some(std::time::Duration::from_millis(1500)));
    assert_eq!(
        ScanReq { wait: Some(-1), ..ScanReq::default() }.server_timeout(),
        Some(std::time::Duration::ZERO)
    );
    assert_eq!(ScanReqRef { stream: Some(true), ..ScanReqRef::default() }.asks_for_stream(), Some(true));
    let scan = ScanReq::OPERATION;
    let Mode::Conditional { end, stream_if } = scan.mode else { panic!("{:?}", scan.mode) };
    assert_eq!((end.field, end.when_absent, stream_if), (2, true, 1));
    assert!(matches!(ListReq::OPERATION.mode, Mode::Stream(end) if end.field == 2 && !end.when_absent));
    assert_eq!(ListReq::OPERATION.cost, Cost::Long);
    let bare = Bare::OPERATION;
    assert!(bare.bodyless && bare.handshake && bare.retry == Retry::IfUnsent);
}

#[test]
fn frames_are_decoded_by_code() {
    assert_eq!(MessageCode::ALL.len(), 23);
    assert!(MessageCode::ALL.is_sorted());
    for code in MessageCode::ALL {
        assert_eq!(MessageCode::try_from(u8::from(code)), Ok(code));
    }
    assert_eq!((MessageCode::GetReq.name(), u8::from(MessageCode::GetReq)), ("GetReq", 11));
    assert_eq!(MessageCode::try_from(99).unwrap_err().to_string(), "the schema has no message code 99");
    let sent = AnyMessage::from(Fault::new("text", 5));
    let mut buffer = riak_runtime::WriteBuffer::default();
    sent.write_to(&mut buffer).unwrap();
    let frame = Frame {
        code: Fault::CODE,
        body: riak_runtime::Message::encode_to_vec(&Fault::new("text", 5)).into(),
    };
    assert_eq!(AnyMessage::decode(&frame).unwrap(), sent);
    assert!(AnyMessage::decode(&Frame { code: 99, ..frame }).is_err());
}

/// Compiles only if the type is `Send`.
fn send<T: Send>(_: T) {}

#[test]
#[allow(deprecated, reason = "the schema deprecates one of the methods")]
fn futures_are_send() {
    fn calls<C: Call>(store: &Store<C>, key: &[u8]) {
        let (get, scan, list) = (GetReq::new("x"), ScanReq::new("x"), ListReq::default());
        send(store.get(&get));
        send(store.get(GetReqRef { key, ..GetReqRef::default() }));
        send(store.get_any(&get));
        send(store.get(get));
        send(store.list(&list));
        send(store.list(ListReqRef::default()));
        send(store.list(list));
        send(store.scan(&scan));
        send(store.scan_any(ScanReqRef { key, ..ScanReqRef::default() }));
        send(store.scan_stream(ScanReqRef { key, ..ScanReqRef::default() }));
        send(store.scan_any_stream(&scan));
        send(store.scan_stream(scan));
        send(store.ping());
        send(store.self_(RawReqRef { body: key }));
        send(store.r#type());
        send(store.log_in(LoginRef { user: key, ..LoginRef::default() }));
        send(store.call(PartRef::default()));
        send(store.new_(nested::ReqRef::default()));
    }
    let _ = calls::<Connection>;
    send(BareRef::default());
    send(Empty::<Connection>::new);
    let _: fn() -> Quorum = Quorum::default;
    let _ = (Item::default(), Elsewhere::default());
}
