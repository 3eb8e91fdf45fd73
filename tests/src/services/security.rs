//! A node whose security is off.
//!
//! Invariant: the connection stays open and unencrypted; that a client was told
//! so is all it needs to give up.

use riak_client::riak_services::{RiakSecurityServer, RpbStartTls};
use riak_runtime::server::{ErrorReply, Failure};

/// Security that is off. Who tries to authenticate hears that there is no such
/// message code.
#[derive(Debug)]
pub(super) struct Off;

impl RiakSecurityServer for Off {
    async fn start_tls(&self, _: RpbStartTls) -> Result<RpbStartTls, Failure> {
        Err(ErrorReply::new("Security not enabled; STARTTLS not allowed.").into())
    }
}
