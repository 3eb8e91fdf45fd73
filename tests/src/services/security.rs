//! A node whose security is off.
//!
//! Invariant: the connection stays open and unencrypted. The client has been told
//! that security is off, and decides whether to give up.

use riak_client::riak_services::{RiakSecurityServer, RpbStartTls};
use riak_runtime::server::{ErrorReply, Failure};

/// The security service of a node whose security is off. A request to
/// authenticate is answered with "Unknown message code".
#[derive(Debug)]
pub(super) struct SecurityOff;

impl RiakSecurityServer for SecurityOff {
    async fn start_tls(&self, _: RpbStartTls) -> Result<RpbStartTls, Failure> {
        Err(ErrorReply::new("Security not enabled; STARTTLS not allowed.").into())
    }
}
