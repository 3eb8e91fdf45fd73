//! [`CallService`]: unary calls as a `tower::Service`. Feature `tower`.
//!
//! Invariant: the service is always ready. The underlying [`Call`] or a layer limits
//! the calls in flight.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower_service::Service;

use super::call::{Call, unary};
use super::error::CallError;
use crate::Request;

/// Unary calls as a [`tower::Service`](tower_service::Service), for `tower`'s
/// layers. Feature `tower`.
///
/// It is always ready: the underlying [`Call`] or a layer limits the calls in flight.
/// It takes requests of any type, so `tower`'s `ready` needs to be told which:
/// `ServiceExt::<RpbGetReq>::ready(&mut service)`.
///
/// ```no_run
/// # async fn example<R>(cluster: riak_runtime::client::Cluster, request: R) -> Result<(), riak_runtime::client::CallError>
/// # where R: riak_runtime::Request + 'static {
/// use riak_runtime::client::CallService;
/// use tower_service::Service;
///
/// let mut service = CallService::new(cluster);
/// let answer = service.call(request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CallService<C> {
    call: C,
}

impl<C> CallService<C> {
    /// Creates a service that makes calls through `call`, which is cloned for each call.
    pub const fn new(call: C) -> Self {
        Self { call }
    }
}

/// The future of a call through a [`CallService`].
pub type Calling<A> = Pin<Box<dyn Future<Output = Result<A, CallError>> + Send>>;

impl<C, R> Service<R> for CallService<C>
where
    C: Call + Clone + 'static,
    R: Request + 'static,
{
    type Response = R::Response;
    type Error = CallError;
    type Future = Calling<R::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let call = self.call.clone();
        Box::pin(async move { unary(&call, request).await })
    }
}
