//! [`Service`]: what answers frames.
//!
//! Invariant: a service is only called with codes that it serves.

use std::future::Future;
use std::sync::Arc;

use super::failure::Failure;
use super::outbox::Outbox;
use crate::error::DecodeErrorKind;
use crate::operation::ErrorFrame;
use crate::{DecodeError, Frame, Owned, Request};

/// Answers the frames of some message codes.
///
/// The generated dispatchers implement it, and so do tuples of services: the
/// first one that serves a code is called. A service of one's own may wrap
/// another and look at single frames before it does.
pub trait Service: Send + Sync + 'static {
    /// Whether it serves requests with this message code.
    fn serves(&self, code: u8) -> bool;

    /// The frame that its schema has for errors. Without one, the connection is
    /// closed where an error would be answered.
    fn error_frame(&self) -> Option<ErrorFrame>;

    /// Answers a request by putting frames into `outbox`.
    ///
    /// The future is dropped if the client goes while it runs.
    fn call(&self, request: Frame, outbox: &mut Outbox) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Decodes a request.
///
/// # Errors
///
/// If its body is malformed, or it has one and must not. The failure is the one
/// to answer with.
pub fn decode<R: Request + Owned>(request: &Frame) -> Result<R, Failure> {
    if R::OPERATION.bodyless && !request.body.is_empty() {
        return Err(DecodeError::new(DecodeErrorKind::InvalidTag, 0).into());
    }
    Ok(request.decode()?)
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

    fn error_frame(&self) -> Option<ErrorFrame> {
        (**self).error_frame()
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

            fn error_frame(&self) -> Option<ErrorFrame> {
                None$(.or_else(|| self.$index.error_frame()))*
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
