//! [`CallExt`]: requests of any type, without a generated client.
//!
//! Invariant: it adds nothing to what [`unary`] and [`stream`] do.

use std::future::Future;

use super::call::{Call, stream, unary};
use super::error::CallError;
use super::responses::Responses;
use crate::Request;

/// Calls with any request: what hand-written messages are called through, as
/// generated ones are through their service's client.
///
/// ```no_run
/// use riak_runtime::client::{CallExt, Connection};
/// # use riak_runtime::Request;
/// # async fn example<R: Request>(request: R) -> Result<(), Box<dyn std::error::Error>> {
///
/// let connection = Connection::connect("127.0.0.1:8087").await?;
/// let answer = connection.call(&request).await?;
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
pub trait CallExt: Call {
    /// Makes a call that is answered once. Where the request may ask for a
    /// stream, it will not.
    ///
    /// The error is the one of [`unary`].
    fn call<R: Request>(&self, request: R) -> impl Future<Output = Result<R::Response, CallError>> + Send {
        unary(self, request)
    }

    /// Makes a call that is answered by many messages. Where the request may
    /// ask for that, it will.
    ///
    /// The error is the one of [`stream`].
    fn call_stream<R: Request>(
        &self,
        request: R,
    ) -> impl Future<Output = Result<Responses<R::Response>, CallError>> + Send {
        stream(self, request)
    }
}

impl<C: Call + ?Sized> CallExt for C {}
