//! The client of the echo schema, as the generator would write it.

use riak_runtime::Request;
use riak_runtime::client::{self, Call, CallError, Connection, ConnectionConfig, Responses};

use super::{
    EchoReq, EchoResp, FoldReq, FoldResp, IndexAnswer, IndexReq, IndexResp, ListReq, ListResp, PingReq,
    PingResp, mirror,
};

/// A generated client.
#[derive(Clone, Copy, Debug)]
pub struct EchoClient<C> {
    pub call: C,
}

impl<C: Call> EchoClient<C> {
    pub async fn echo(&self, request: impl Request<Owned = EchoReq>) -> Result<EchoResp, CallError> {
        client::unary(&self.call, request).await
    }

    pub async fn list(
        &self,
        request: impl Request<Owned = ListReq>,
    ) -> Result<Responses<ListResp>, CallError> {
        client::stream(&self.call, request).await
    }

    pub async fn fold(&self, request: impl Request<Owned = FoldReq>) -> Result<FoldResp, CallError> {
        client::unary(&self.call, request).await
    }

    pub async fn index(&self, request: impl Request<Owned = IndexReq>) -> Result<IndexResp, CallError> {
        client::unary(&self.call, request).await
    }

    pub async fn index_any(&self, request: impl Request<Owned = IndexReq>) -> Result<IndexAnswer, CallError> {
        client::unary(&self.call, request).await
    }

    pub async fn index_stream(
        &self,
        request: impl Request<Owned = IndexReq>,
    ) -> Result<Responses<IndexResp>, CallError> {
        client::stream(&self.call, request).await
    }

    pub async fn ping(&self) -> Result<PingResp, CallError> {
        client::unary(&self.call, PingReq::default()).await
    }
}

/// Connects to a server of [`Mirror`].
pub async fn connect(config: ConnectionConfig) -> (EchoClient<Connection>, Connection) {
    let connection = Connection::connect_with(mirror().await, config).await.unwrap();
    (EchoClient { call: connection.clone() }, connection)
}
