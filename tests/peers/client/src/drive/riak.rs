//! This project's client: a single connection, and a cluster of one node.

use std::net::SocketAddr;
use std::time::Duration;

use riak_client::riak_kv::{RpbGetReq, RpbGetResp};
use riak_client::{ClientConfig, Riak};
use riak_runtime::client::{CallError, ClusterConfig, Connection, ConnectionConfig, PoolConfig};

use super::Caller;
use crate::exchange::{BUCKET, KEY};

/// `Riak::connect_one`: a connection that all tasks share.
#[derive(Clone)]
pub(super) struct One(Riak<Connection>);

/// `Riak::connect`: with a pool, deadlines and retries.
#[derive(Clone)]
pub(super) struct Clustered(Riak);

impl Caller for One {
    async fn connect(server: SocketAddr, connections: usize) -> Result<Vec<Self>, String> {
        let mut callers = Vec::new();
        for _ in 0..connections {
            let riak = Riak::connect_one(server, ConnectionConfig::default()).await;
            callers.push(Self(riak.map_err(|error| error.to_string())?));
        }
        Ok(callers)
    }

    async fn get(&self) -> Result<usize, String> {
        value_len(self.0.kv().get(&RpbGetReq::new(BUCKET, KEY)).await)
    }
}

impl Caller for Clustered {
    async fn connect(server: SocketAddr, connections: usize) -> Result<Vec<Self>, String> {
        let mut config = ClientConfig::new([server.into()]);
        let pool = PoolConfig::new().min_connections(connections).max_connections(connections);
        config.cluster = ClusterConfig::new().pool(pool);
        let riak = Riak::connect(config).await.map_err(|error| error.to_string())?;
        // The first connection is open; the others are opened in the background.
        while riak.stats().nodes[0].pool.connections < connections {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(vec![Self(riak)])
    }

    async fn get(&self) -> Result<usize, String> {
        value_len(self.0.kv().get(&RpbGetReq::new(BUCKET, KEY)).await)
    }
}

fn value_len(answer: Result<RpbGetResp, CallError>) -> Result<usize, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    Ok(answer.content.first().map_or(0, |content| content.value.len()))
}
