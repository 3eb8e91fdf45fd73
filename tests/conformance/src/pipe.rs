//! How the runner talks to a testee: length-prefixed requests on standard
//! input, and answers in the same way on standard output.
//!
//! Invariant: an answer is flushed before the next request is read, since the
//! runner waits for it.

use std::io::{self, ErrorKind, Read, Write};

use riak_runtime::{Decode, Message};

use crate::round_trip::{self, How};
use crate::suite::conformance::conformance::{ConformanceRequest, ConformanceResponse};

/// Answers requests until there are no more.
pub(crate) fn answer_all(mut input: impl Read, mut output: impl Write, how: How) -> io::Result<()> {
    while let Some(bytes) = request(&mut input)? {
        let request = ConformanceRequest::decode(&bytes).map_err(io::Error::other)?;
        let answer =
            ConformanceResponse { result: Some(round_trip::answer(&request, how)), ..Default::default() };
        let answer = answer.encode_to_vec();
        let len = u32::try_from(answer.len()).map_err(io::Error::other)?;
        output.write_all(&len.to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}

/// The next request; `None` if the runner has closed its end between two.
fn request(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    match input.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = vec![0; u32::from_le_bytes(len) as usize];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
