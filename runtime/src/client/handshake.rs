//! [`handshake`]: a call on a connection that is still being set up.
//!
//! Invariant: no byte past the answer is read. What follows may belong to another
//! protocol, and bytes sent in clear before the change to TLS must never be taken
//! for bytes that came after it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::ConnectionError;
use super::server_error::ServerError;
use crate::error::FrameError;
use crate::operation::ErrorFrame;
use crate::{Blob, Coded, Frame, Request, WriteBuffer};

/// Maximum length of an answer. The longest known one, a stack trace, has a few
/// kilobytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends a request on a stream that is not a [`Connection`] yet, and reads its answer.
///
/// For exchanges that come before any call, such as authentication. No byte past the
/// answer is read. There is no timeout, and answers of more than 64 KiB are refused.
///
/// [`Connection`]: super::Connection
///
/// # Errors
///
/// [`ConnectionError::Refused`] if the server answers with an error; another
/// [`ConnectionError`] if the stream fails or the answer is invalid.
pub async fn handshake<IO, R>(io: &mut IO, request: &R) -> Result<Frame, ConnectionError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    R: Request,
{
    let operation = R::OPERATION;
    let mut out = WriteBuffer::new();
    if operation.bodyless {
        out.push_body(operation.request, &[]).map_err(ConnectionError::Frame)?;
    } else {
        out.push(operation.request, request).map_err(ConnectionError::Frame)?;
    }
    let sent = send(io, &out.to_vec()).await.map_err(ConnectionError::from);
    // Reads even if sending failed: the server may have sent the reason before it closed.
    let (code, body) = match receive(io).await {
        Err(closed @ ConnectionError::Closed { .. }) => return Err(sent.err().unwrap_or(closed)),
        answer => answer?,
    };
    match operation.error {
        Some(error) if error.code == code => Err(refusal(error, &body)),
        _ if code == operation.response => sent.map(|()| Frame { code, body }),
        _ => Err(ConnectionError::UnexpectedCode {
            code,
            expected: <R::Response as Coded>::CODE,
            operation: operation.name,
        }),
    }
}

async fn send(io: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    io.write_all(frame).await?;
    io.flush().await
}

/// Reads the next frame and returns its message code and body.
async fn receive(io: &mut (impl AsyncRead + Unpin)) -> Result<(u8, Blob), ConnectionError> {
    let length = match io.read_u32().await {
        Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Err(error) => return Err(read_error(error, false)),
    };
    if length == 0 {
        return Err(ConnectionError::Frame(FrameError::Empty));
    }
    if length > MAX_ANSWER {
        return Err(ConnectionError::Frame(FrameError::TooLong { length, max: MAX_ANSWER }));
    }
    let mut answer = vec![0; length];
    io.read_exact(&mut answer).await.map_err(|error| read_error(error, true))?;
    // Cannot panic: `length` is not 0.
    Ok((answer[0], Blob::from(&answer[1..])))
}

/// Converts an I/O error of a read; an end of the stream becomes `Closed`.
fn read_error(error: io::Error, within_frame: bool) -> ConnectionError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        ConnectionError::Closed { within_frame }
    } else {
        error.into()
    }
}

/// Converts an error answer of the server.
fn refusal(error: ErrorFrame, body: &Blob) -> ConnectionError {
    match error.read(body) {
        Ok((text, number)) => ConnectionError::Refused(ServerError::new(text, number)),
        Err(error) => ConnectionError::Malformed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::pipeline::tests::GET;

    #[test]
    fn a_malformed_refusal_is_named_as_such() {
        let error = GET.error.unwrap();
        // A length prefix of 9 bytes, of which none follow.
        let refused = refusal(error, &Blob::from([0x0a, 9]));
        assert!(matches!(refused, ConnectionError::Malformed(_)), "{refused:?}");
        assert!(refused.to_string().starts_with("an answer during the connection's setup is malformed: "));
    }
}
