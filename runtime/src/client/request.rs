//! [`CallExt`]: calls with requests of any type, without a generated client.
//!
//! Invariant: it adds nothing to what [`unary`] and [`stream`] do.

use std::future::Future;

use super::call::{Call, stream, unary};
use super::error::CallError;
use super::responses::Responses;
use crate::Request;

/// Makes calls with requests of any type. Implemented for every [`Call`].
///
/// Use it for derived messages. For generated ones it is an alternative to the client
/// of their service.
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
    /// Makes a call and waits for its only answer. If the request has a field that asks
    /// for a stream, it is sent as false.
    ///
    /// The errors are those of [`unary`].
    fn call<R: Request>(&self, request: R) -> impl Future<Output = Result<R::Response, CallError>> + Send {
        unary(self, request)
    }

    /// Makes a call that is answered with a stream, and waits for the first answer.
    /// If the request has a field that asks for a stream, it is sent as true.
    ///
    /// The errors are those of [`stream`].
    fn call_stream<R: Request>(
        &self,
        request: R,
    ) -> impl Future<Output = Result<Responses<R::Response>, CallError>> + Send {
        stream(self, request)
    }
}

impl<C: Call + ?Sized> CallExt for C {}
