//! The in-memory node, with the object that clients get.

use std::io;

use riak_client::riak_kv::RpbPutReq;
use riak_testkit::Node;

use crate::exchange::{self, BUCKET, KEY};

pub(super) async fn run() -> io::Result<()> {
    let node = Node::start().await?;
    let mut put = RpbPutReq::new(BUCKET, exchange::content());
    put.key = Some(KEY.into());
    node.store().put(&put).map_err(io::Error::other)?;
    super::announce(node.addr())?;
    std::future::pending().await
}
