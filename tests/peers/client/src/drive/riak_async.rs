//! The crate `riak-async`: a client is one connection, and makes one call at a time.
//!
//! Tasks share clients behind locks. The crate's own pool would be slower, since it sends a
//! ping before each use of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use riak_async::Client;
use riak_async::object::FetchObjectReq;
use tokio::sync::Mutex;

use super::Caller;
use crate::exchange::{BUCKET, KEY};

#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Client<SocketAddr>>>);

impl Caller for Shared {
    async fn connect(server: SocketAddr, connections: usize) -> Result<Vec<Self>, String> {
        let mut callers = Vec::new();
        for _ in 0..connections {
            let client = Client::new(server).await.map_err(|error| error.to_string())?;
            callers.push(Self(Arc::new(Mutex::new(client))));
        }
        Ok(callers)
    }

    async fn get(&self) -> Result<usize, String> {
        let mut client = self.0.lock().await;
        let answer = client.fetch_object(FetchObjectReq::new(BUCKET, KEY)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.content.first().map_or(0, |content| content.get_value().len()))
    }
}
