//! [`relay`]: passes frames between an authenticated user and a node, except for requests
//! that the user has no permission for.
//!
//! The node knows no users. In place of a request that is refused it gets one that it is
//! certain to refuse, and the answer to that is replaced. Invariant: answers keep the order
//! of their requests, also behind streams.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use riak_client::riak::{RpbAuthReq, RpbErrorResp};
use riak_runtime::{Blob, Coded, Frame, Message};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::task::JoinSet;

use crate::permission::Grants;
use crate::secured::{read, write};

/// The longest frame that is passed on; Riak refuses objects of more than 50 MB.
const MAX_FRAME: u32 = 128 * 1024 * 1024;

/// The node's answer to a request to authenticate. It gives this answer to nothing else.
const UNSERVED: &str = "Unknown message code: 253";

/// The errors for the requests to authenticate that the node has not yet answered: `None`
/// if the user sent the request.
type Refusals = Mutex<VecDeque<Option<String>>>;

/// Passes frames on until both sides have closed the connection.
pub(crate) async fn relay<C, N>(client: C, node: N, user: String, grants: Grants) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    N: AsyncRead + AsyncWrite + Send + 'static,
{
    let refusals = Arc::new(Refusals::default());
    let ((mut from_client, to_client), (mut from_node, to_node)) = (split(client), split(node));
    let mut directions = JoinSet::new();
    let requests = Arc::clone(&refusals);
    directions.spawn(async move {
        pass(&mut from_client, to_node, |request| {
            let refusal = grants.refusal(&user, &request);
            if refusal.is_none() && request.code != RpbAuthReq::CODE {
                return request;
            }
            requests.lock().unwrap_or_else(PoisonError::into_inner).push_back(refusal);
            Frame { code: RpbAuthReq::CODE, body: Blob::default() }
        })
        .await
    });
    directions.spawn(async move {
        pass(&mut from_node, to_client, |answer| {
            let is_unserved = answer.code == RpbErrorResp::CODE
                && answer.decode::<RpbErrorResp>().is_ok_and(|error| error.errmsg == UNSERVED);
            if !is_unserved {
                return answer;
            }
            match refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front().flatten() {
                Some(text) => {
                    Frame { code: answer.code, body: RpbErrorResp::new(text, 0_u32).encode_to_vec().into() }
                }
                None => answer,
            }
        })
        .await
    });
    while let Some(ended) = directions.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

/// Passes frames on in one direction, changed by `change`, until the sender closes it.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    mut to: impl AsyncWrite + Unpin,
    mut change: impl FnMut(Frame) -> Frame,
) -> io::Result<()> {
    loop {
        let frame = match read(from, MAX_FRAME).await {
            Ok(frame) => change(frame),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return to.shutdown().await,
            Err(error) => return Err(error),
        };
        write(&mut to, |out| out.push_body(frame.code, &frame.body)).await?;
    }
}
