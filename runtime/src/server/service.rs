//! [`Service`]: answers requests as frames.
//!
//! Invariant: a service is only called with codes that it serves.

use std::future::Future;
use std::sync::Arc;

use super::failure::Failure;
use super::outbox::Outbox;
use crate::Frame;
use crate::operation::ErrorFrame;

/// Answers requests with certain message codes.
///
/// Generated dispatchers implement it. So do tuples of up to twelve services, which use
/// the first service that serves a code, and its error frame. A service can also wrap
/// another one, for example to inspect frames:
///
/// ```
/// use riak_runtime::operation::ErrorFrame;
/// use riak_runtime::server::{ErrorReply, Failure, Outbox, Service};
/// use riak_runtime::Frame;
///
/// /// Refuses requests with large bodies.
/// struct Small<S>(S);
///
/// impl<S: Service> Service for Small<S> {
///     fn serves(&self, code: u8) -> bool {
///         self.0.serves(code)
///     }
///
///     fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame> {
///         self.0.error_frame(code)
///     }
///
///     async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
///         if request.body.len() > 1000 {
///             return Err(ErrorReply::new("the request is too large").into());
///         }
///         self.0.call(request, outbox).await
///     }
/// }
/// ```
pub trait Service: Send + Sync + 'static {
    /// Reports whether the service answers requests with this message code.
    fn serves(&self, code: u8) -> bool;

    /// Returns the schema's error frame for a request with this message code. The code is
    /// `None` for errors that belong to no request, such as a frame that is too long. If
    /// the result is `None`, the connection is closed without an error.
    fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame>;

    /// Answers a request by putting frames into `outbox`. Called only for codes that
    /// [`Service::serves`] accepts.
    ///
    /// The future is dropped if the socket fails, if the client takes none of its answers
    /// within [`write_timeout`](super::ServerConfig::write_timeout), or if the server shuts
    /// down and does not wait any longer.
    ///
    /// A client that closes its sending side may still wait for its answers, so that alone
    /// drops nothing. A client that has closed its socket looks the same until something is
    /// written to it: the call goes on to the second write after that. During a stream with
    /// [`refuse_behind_stream`](super::ServerConfig::refuse_behind_stream) on, a connection
    /// that is reset is noticed at once; otherwise, at the next write. A handler that is
    /// silent for long and costs much should therefore limit its time itself.
    fn call(&self, request: Frame, outbox: &mut Outbox) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Fails with "Unknown message code". The default body of methods of generated server
/// traits.
///
/// # Errors
///
/// Always: [`Failure::unknown_code`].
pub fn unserved<T: Send>(code: u8) -> impl Future<Output = Result<T, Failure>> + Send {
    std::future::ready(Err(Failure::unknown_code(code)))
}

impl<S: Service> Service for Arc<S> {
    fn serves(&self, code: u8) -> bool {
        (**self).serves(code)
    }

    fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame> {
        (**self).error_frame(code)
    }

    fn call(&self, request: Frame, outbox: &mut Outbox) -> impl Future<Output = Result<(), Failure>> + Send {
        (**self).call(request, outbox)
    }
}

macro_rules! impl_for_tuple {
    ($($service:ident $index:tt),*) => {
        impl<$($service: Service),*> Service for ($($service,)*) {
            fn serves(&self, code: u8) -> bool {
                $(self.$index.serves(code))||*
            }

            fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame> {
                $(
                    if code.is_some_and(|code| self.$index.serves(code)) {
                        return self.$index.error_frame(code);
                    }
                )*
                None$(.or_else(|| self.$index.error_frame(code)))*
            }

            async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
                $(
                    if self.$index.serves(request.code) {
                        return self.$index.call(request, outbox).await;
                    }
                )*
                unserved(request.code).await
            }
        }
    };
}

impl_for_tuple!(A 0);
impl_for_tuple!(A 0, B 1);
impl_for_tuple!(A 0, B 1, C 2);
impl_for_tuple!(A 0, B 1, C 2, D 3);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
impl_for_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
