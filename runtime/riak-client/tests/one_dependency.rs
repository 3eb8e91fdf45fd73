//! Every documented feature can be used by a program whose only dependency for Riak is
//! this crate.
//!
//! Invariant: nothing here names the runtime.
#![cfg(all(feature = "client", feature = "server"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use riak_client::client::{Answered, Connecting, Connector, FrameStream, Outgoing, Pool, TcpConnector};
use riak_client::operation::Retry;
use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbGetResp, RpbListKeysReq, RpbListKeysResp};
use riak_client::riak_services::{RiakKvServer, RiakKvService};
use riak_client::server::{ErrorReply, Failure, Replies, Server, ServerConfig, serve_connection};
use riak_client::{
    Balance, Call, CallError, CallExt, CallOptions, Candidate, ClientConfig, Cluster, Connection,
    ConnectionConfig, ConnectionError, DecodeErrorKind, DecodeLimits, LeastLoaded, Node, NotSent, Riak,
};

/// Has an object at each key but `missing`: the key itself.
#[derive(Clone, Copy, Debug)]
struct Keys;

impl RiakKvServer for Keys {
    async fn get(&self, request: RpbGetReq) -> Result<RpbGetResp, Failure> {
        if request.key == "missing" {
            return Err(ErrorReply::new("{n_val_violation,3}").into());
        }
        Ok(RpbGetResp { content: vec![RpbContent::new(request.key)], ..RpbGetResp::default() })
    }

    async fn list_keys(
        &self,
        _: RpbListKeysReq,
        replies: &mut Replies<'_, RpbListKeysResp>,
    ) -> Result<(), Failure> {
        for key in ["a", "b"] {
            replies.send(&RpbListKeysResp { keys: vec![key.into()], ..RpbListKeysResp::default() }).await?;
        }
        Ok(())
    }
}

/// Connects to a server in the same process.
#[derive(Debug, Default)]
struct InProcess(AtomicUsize);

impl Connector for InProcess {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            serve_connection(theirs, &RiakKvService(Keys), &ServerConfig::default()).await
        });
        let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
        tokio::spawn(driver);
        Box::pin(std::future::ready(Ok(connection)))
    }
}

/// Chooses the last of the nodes, and counts its choices.
#[derive(Debug, Default)]
struct Last(AtomicUsize);

impl Balance for Last {
    fn choose(&self, candidates: &[Candidate<'_>]) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed);
        candidates.len() - 1
    }
}

fn get(key: &'static str) -> RpbGetReq {
    RpbGetReq::new("users", key)
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_cluster_is_put_together_from_a_connector_and_a_balance() {
    run(async {
        let (connector, balance) = (Arc::new(InProcess::default()), Arc::new(Last::default()));
        let nodes = [Node::new("one", 1), Node::new("two", 2)];
        let config = ClientConfig::new(nodes.clone());
        let cluster = Cluster::balanced(nodes, connector.clone(), config.cluster, balance.clone());
        let riak = Riak::over(cluster);
        let found = riak.kv().get(&get("alice")).await.unwrap();
        assert_eq!(found.content[0].value, "alice");
        assert_eq!((connector.0.load(Ordering::Relaxed), balance.0.load(Ordering::Relaxed)), (1, 1));
        let mut keys = riak.kv().list_keys(&RpbListKeysReq::new("users")).await.unwrap();
        let mut all = Vec::new();
        while let Some(chunk) = keys.next().await {
            all.extend(chunk.unwrap().keys);
        }
        assert_eq!(all, ["a", "b"]);
        let results = riak.bulk().get_many(["a", "missing"].map(get)).all().await;
        assert!(results[0].is_ok() && results[1].is_err());
    });
}

#[test]
fn a_server_and_a_pool_are_used_directly_and_errors_are_matched() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Node::from(listener.local_addr().unwrap());
        let server = Server::new(ServerConfig::new().write_timeout(Duration::from_secs(60)));
        let handle = server.handle();
        let serving = tokio::spawn(server.serve(listener, RiakKvService(Keys)));

        let connector = Arc::new(TcpConnector::new(ConnectionConfig::new()));
        let pool = Pool::new(node, connector, riak_client::PoolConfig::new());
        assert_eq!(pool.call(&get("alice")).await.unwrap().content[0].value, "alice");
        let options = CallOptions::new().timeout(Duration::from_secs(5)).retry(Retry::Never);
        let error = Riak::over(&pool).with(options).kv().get(&get("missing")).await.unwrap_err();
        assert!(matches!(&error, CallError::Server(error) if error.text == "{n_val_violation,3}"));
        let described = match &error {
            CallError::NotSent(NotSent::Connection(ConnectionError::Closed { .. })) => "not sent",
            CallError::Decode(error) => match error.kind() {
                DecodeErrorKind::UnexpectedCode { .. } => "another message",
                _ => "malformed",
            },
            _ => "something else",
        };
        assert_eq!(described, "something else");
        drop(pool);
        handle.shut_down();
        serving.await.unwrap();
    });
}

/// Counts the calls that pass through it.
#[derive(Debug)]
struct Counting<C>(C, AtomicUsize);

impl<C: Call> Call for Counting<C> {
    async fn unary(&self, request: &Outgoing<'_>) -> Result<Answered, CallError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.unary(request).await
    }

    async fn stream(&self, request: &Outgoing<'_>) -> Result<FrameStream, CallError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.stream(request).await
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.0.decode_limits()
    }
}

#[test]
fn calls_pass_through_a_layer_of_the_program() {
    run(async {
        let connector = Arc::new(InProcess::default());
        let config = ClientConfig::new([]).cluster;
        let balance = Arc::new(LeastLoaded::new());
        let cluster = Cluster::balanced([Node::new("one", 1)], connector, config, balance);
        let riak = Riak::over(Counting(cluster, AtomicUsize::new(0)));
        riak.kv().get(&get("alice")).await.unwrap();
        riak.kv().list_keys(&RpbListKeysReq::new("users")).await.unwrap().all().await.unwrap();
        assert_eq!(riak.carrier().1.load(Ordering::Relaxed), 2);
    });
}

#[cfg(feature = "tower")]
#[test]
fn a_call_service_can_be_named() {
    use riak_client::client::{CallService, Calling};

    // What its futures return is checked where it is defined.
    fn service(cluster: Cluster) -> (CallService<Cluster>, Option<Calling<RpbGetResp>>) {
        (CallService::new(cluster), None)
    }
    let connector = Arc::new(InProcess::default());
    let cluster = Cluster::new([Node::new("one", 1)], connector, ClientConfig::new([]).cluster);
    assert!(format!("{:?}", service(cluster).0).contains("one"));
}

#[cfg(feature = "tls")]
#[test]
fn tls_is_configured_and_its_errors_are_matched() {
    let config = riak_client::TlsConfig::new().verify(riak_client::Verify::Full).ca_pem("no certificate");
    let error = config.build().unwrap_err();
    assert!(matches!(error, riak_client::TlsError::Pem { .. }), "{error:?}");
    let nodes = [Node::new("one", 1)];
    let client = ClientConfig::new(nodes).credentials("alice", "secret").tls(config);
    assert!(client.connector().is_err());
}
