//! Connections that a pool keeps for streams while no stream uses them: one that the server
//! has closed meanwhile costs no stream its call.
#![cfg(all(feature = "client", feature = "server"))]

mod echo;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use echo::*;
use riak_runtime::client::{
    CallExt, Connecting, Connection, ConnectionConfig, Connector, Node, Pool, PoolConfig,
};
use riak_runtime::server::{ServerConfig, serve_connection};
use tokio::io::DuplexStream;
use tokio::time::sleep;

/// How long it takes to connect.
const CONNECT_TIME: Duration = Duration::from_secs(1);

/// A server in the same process. Its end of a connection is kept until it is served or closed.
#[derive(Debug, Default)]
struct SlowServer(Mutex<Vec<DuplexStream>>);

impl Connector for SlowServer {
    fn connect<'a>(&'a self, _: &'a Node) -> Connecting<'a> {
        Box::pin(async move {
            sleep(CONNECT_TIME).await;
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            self.0.lock().unwrap().push(theirs);
            let (connection, driver) = Connection::new(ours, ConnectionConfig::new());
            tokio::spawn(driver);
            Ok(connection)
        })
    }
}

impl SlowServer {
    fn connections(&self) -> Vec<DuplexStream> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Serves the connections that were opened so far.
    fn serve(&self) {
        for theirs in self.connections() {
            tokio::spawn(async move {
                serve_connection(theirs, &EchoService(Mirror), &ServerConfig::default()).await
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_closed_before_its_first_use_is_replaced() {
    let server = Arc::new(SlowServer::default());
    let pool = Pool::new(Node::new("slow", 1), server.clone(), PoolConfig::new().min_connections(0));
    // A stream that is given up before its connection is open leaves it to the next one.
    let request = list("x", 3);
    assert!(tokio::time::timeout(CONNECT_TIME / 2, pool.call_stream(&request)).await.is_err());
    sleep(CONNECT_TIME).await;
    assert_eq!(pool.stats().connects, 1);
    // The server closes it, and the next stream comes before the client has noticed.
    drop(server.connections());
    let stream = async { pool.call_stream(&request).await.unwrap().all().await.unwrap().len() };
    let serve = async {
        sleep(2 * CONNECT_TIME).await;
        server.serve();
    };
    assert_eq!(tokio::join!(stream, serve).0, 4);
    assert_eq!(pool.stats().connects, 2);
}
