//! The protocol between runner and testee: length-prefixed requests on standard input, and
//! length-prefixed answers on standard output.
//!
//! Invariant: an answer is flushed before the next request is read, since the runner waits for it.

use std::io::{self, ErrorKind, Read, Write};

use riak_runtime::{Decode, Message};

use crate::round_trip::{self, Options};
use crate::suite::conformance::conformance::{ConformanceRequest, ConformanceResponse};

/// Answers requests until the runner closes its end.
pub(crate) fn answer_all(mut input: impl Read, mut output: impl Write, options: Options) -> io::Result<()> {
    while let Some(bytes) = request(&mut input)? {
        let request = ConformanceRequest::decode(&bytes).map_err(io::Error::other)?;
        let answer =
            ConformanceResponse { result: Some(round_trip::answer(&request, options)), ..Default::default() };
        let answer = answer.encode_to_vec();
        let len = u32::try_from(answer.len()).map_err(io::Error::other)?;
        output.write_all(&len.to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}

/// Reads the next request. Returns `None` if the runner has closed its end between requests.
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
