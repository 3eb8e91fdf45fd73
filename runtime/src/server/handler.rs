//! [`Handler`] and [`StreamHandler`]: services of one operation each, for requests
//! without a generated server trait.
//!
//! Invariant: they decode, answer and fail exactly like generated dispatchers.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::failure::Failure;
use super::outbox::{Outbox, Replies};
use super::service::Service;
use crate::operation::ErrorFrame;
use crate::{Coded, Frame, Owned, Request};

/// Answers each request of one type with one message.
///
/// Functions and closures that return a future implement it.
pub trait Handler<R: Request>: Send + Sync + 'static {
    /// Answers a request. A failure is sent instead of an answer.
    ///
    /// The future is dropped if the connection fails.
    fn handle(&self, request: R) -> impl Future<Output = Result<R::Response, Failure>> + Send;
}

impl<R, F, A> Handler<R> for F
where
    R: Request,
    F: Fn(R) -> A + Send + Sync + 'static,
    A: Future<Output = Result<R::Response, Failure>> + Send,
{
    fn handle(&self, request: R) -> impl Future<Output = Result<R::Response, Failure>> + Send {
        self(request)
    }
}

/// Answers each request of one type with a stream.
pub trait StreamHandler<R: Request>: Send + Sync + 'static {
    /// Sends the answers to a request. When it returns, the stream ends, unless an
    /// answer has already ended it. A failure is sent as the last frame instead.
    ///
    /// The future is dropped if the connection fails or the client closes it: see
    /// [`Service::call`] for when that is noticed.
    fn handle(
        &self,
        request: R,
        replies: &mut Replies<'_, R::Response>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<R: Request, H: StreamHandler<R>> StreamHandler<R> for Arc<H> {
    fn handle(
        &self,
        request: R,
        replies: &mut Replies<'_, R::Response>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        (**self).handle(request, replies)
    }
}

/// A service of one operation. Created by [`unary`] and [`streaming`].
pub struct Operation<R, H, Kind> {
    handler: H,
    kind: PhantomData<fn(R) -> Kind>,
}

/// Marks an [`Operation`] that is answered once.
#[derive(Debug)]
pub enum Unary {}

/// Marks an [`Operation`] that is answered with a stream.
#[derive(Debug)]
pub enum Streaming {}

/// Creates a service that answers the requests of one type with a closure or another
/// [`Handler`]. A tuple of services serves the requests of all of them.
///
/// ```
/// use riak_runtime::server::{Service, unary};
/// use riak_runtime::{Owned, Request};
///
/// /// Answers each request with a default answer.
/// fn stub<R: Request + Owned>() -> impl Service
/// where
///     R::Response: Default,
/// {
///     unary(|_: R| async { Ok(R::Response::default()) })
/// }
/// ```
pub fn unary<R: Request + Owned, H: Handler<R>>(handler: H) -> Operation<R, H, Unary> {
    Operation { handler, kind: PhantomData }
}

/// Creates a service that answers the requests of one type with streams.
///
/// ```
/// use riak_runtime::server::{Failure, Replies, Service, StreamHandler, streaming};
/// use riak_runtime::{Owned, Request};
///
/// /// Answers each request with three default answers.
/// struct Three;
///
/// impl<R: Request> StreamHandler<R> for Three {
///     async fn handle(&self, _: R, replies: &mut Replies<'_, R::Response>) -> Result<(), Failure> {
///         for _ in 0..3 {
///             replies.send(&R::Response::default()).await?;
///         }
///         Ok(())
///     }
/// }
///
/// fn stub<R: Request + Owned>() -> impl Service {
///     streaming::<R, _>(Three)
/// }
/// ```
pub fn streaming<R: Request + Owned, H: StreamHandler<R>>(handler: H) -> Operation<R, H, Streaming> {
    Operation { handler, kind: PhantomData }
}

impl<R, H, Kind> fmt::Debug for Operation<R, H, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}

impl<R: Request + Owned, H: Handler<R>> Service for Operation<R, H, Unary> {
    fn serves(&self, code: u8) -> bool {
        code == <R as Coded>::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        R::OPERATION.error
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let answer = self.handler.handle(outbox.decode::<R>(&request)?).await?;
        outbox.answer(&answer)
    }
}

impl<R: Request + Owned, H: StreamHandler<R>> Service for Operation<R, H, Streaming> {
    fn serves(&self, code: u8) -> bool {
        code == <R as Coded>::CODE
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        R::OPERATION.error
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        let request = outbox.decode::<R>(&request)?;
        let mut replies = outbox.replies::<R>();
        self.handler.handle(request, &mut replies).await?;
        replies.finish().await
    }
}
