//! [`Membership`]: the cluster's own list of its nodes.
//!
//! Nodes from 3.0.10 on report the addresses on which their peers listen.
//! Invariant: an address that no client can use (empty or unspecified) is left out.

use riak_runtime::client::{Cluster, Discover, DiscoverError, Discovering, Node};
use riak_runtime::{Operation, Request};

use crate::riak_kv::{RpbMembershipReq, RpbMembershipResp};
use crate::{Riak, ServerErrorKind};

/// A source that asks a node of the cluster which nodes are up, and at which
/// addresses.
///
/// Riak 3.0.10 and later answer that. With an older one, the list of nodes stays as it
/// is, and [`ClusterStats::discovery_error`](crate::ClusterStats) says why.
///
/// Nodes report the addresses on which they listen. These are useful to clients in
/// the same network, but not through network address translation. Addresses that
/// cannot be connected to, such as `0.0.0.0`, are left out.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use riak_client::{Membership, Riak};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let riak = Riak::connect("riak-1.example.com").await?;
/// riak.carrier().keep_discovering(Arc::new(Membership), Duration::from_secs(60));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Membership;

impl Discover for Membership {
    fn nodes<'a>(&'a self, cluster: &'a Cluster) -> Discovering<'a> {
        Box::pin(async move {
            match Riak::over(cluster).replication().membership().await {
                Ok(answer) => Ok(nodes(&answer)),
                Err(error) if error.is(ServerErrorKind::NotServed) => {
                    let Operation { name, since, .. } = RpbMembershipReq::OPERATION;
                    Err(DiscoverError::NotServed { operation: name, since: *since })
                }
                Err(error) => Err(error.into()),
            }
        })
    }
}

fn nodes(answer: &RpbMembershipResp) -> Vec<Node> {
    let usable = answer.up_nodes.iter().filter_map(|member| {
        let host = std::str::from_utf8(&member.ip).ok()?;
        let port = u16::try_from(member.port).ok().filter(|&port| port != 0)?;
        let is_unspecified = matches!(host, "" | "0.0.0.0" | "::");
        (!is_unspecified).then(|| Node::new(host, port))
    });
    usable.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::riak_kv::RpbClusterMemberEntry;

    #[test]
    fn unusable_addresses_are_left_out() {
        let member = |ip: &'static str, port| RpbClusterMemberEntry::new(ip, port);
        let answer = RpbMembershipResp {
            up_nodes: vec![
                member("10.0.0.1", 8087_u32),
                member("0.0.0.0", 8087_u32),
                member("10.0.0.2", 70_000_u32),
                member("", 8087_u32),
                member("fe80::1", 10_017_u32),
            ],
            ..RpbMembershipResp::default()
        };
        let expected = [Node::new("10.0.0.1", 8087), Node::new("fe80::1", 10_017)];
        assert_eq!(nodes(&answer), expected);
    }
}
