//! [`Service`]: what answers frames.
//!
//! Invariant: a service is only called with codes that it serves.

use std::future::Future;
use std::sync::Arc;

use super::failure::Failure;
use super::outbox::Outbox;
use crate::Frame;
use crate::operation::ErrorFrame;

/// Answers the frames of some message codes.
///
/// The generated dispatchers implement it, and so do tuples of services: the
/// first one that serves a code is called, and has the frame for its errors. A service of one's own may wrap
/// another and look at single frames before it does.
pub trait Service: Send + Sync + 'static {
    /// Whether it serves requests with this message code.
    fn serves(&self, code: u8) -> bool;

    /// The frame that its schema has for errors of requests with this message
    /// code, or of what is no request. Without one, the connection is closed
    /// where an error would be answered.
    fn error_frame(&self, code: Option<u8>) -> Option<ErrorFrame>;

    /// Answers a request by putting frames into `outbox`.
    ///
    /// The future is dropped when the socket fails, or the client goes while it
    /// gets a stream. A client that goes before a single answer shows only when
    /// that is written, since closing its own side is no more than saying that
    /// it asks for nothing else.
    fn call(&self, request: Frame, outbox: &mut Outbox) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Answers that a message code is unknown: what methods of generated traits do
/// that are not implemented.
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

macro_rules! tuple {
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

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
