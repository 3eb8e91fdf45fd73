//! Services, operations and message codes, as plain data.
//!
//! Invariant: the one of [`Schema`](super::Schema).

use super::{Docs, MessageId};

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The protobuf name without package, which is also the name of the client
    /// struct.
    pub name: String,
    /// The name of the server trait, such as `RiakKvServer`.
    pub server_name: String,
    /// The name of the struct that dispatches requests to a server trait by message
    /// code, such as `RiakKvService`.
    pub dispatcher_name: String,
    /// The comment above the declaration.
    pub docs: Docs,
    /// Whether the schema marks the service deprecated.
    pub deprecated: bool,
    /// The frame that answers a failed request.
    pub error: Option<ErrorFrame>,
    /// The methods that are operations, in declaration order.
    pub operations: Vec<Operation>,
}

/// The frame that answers a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// The message code.
    pub code: u8,
    /// The message.
    pub message: MessageId,
    /// The index of the message's field with the error text (`bytes` or `string`).
    pub text: usize,
    /// The index of the message's field with the error number (`uint32`).
    pub number: Option<usize>,
}

/// One operation: a request and its possible answers.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of the schema that do not depend on one another")]
pub struct Operation {
    /// The protobuf name of the method, such as `ListKeys`.
    pub name: String,
    /// The Rust name of the method, such as `list_keys`.
    pub rust_name: String,
    /// The request.
    pub request: MessageId,
    /// The code of the request.
    pub request_code: u8,
    /// The regular answer.
    pub response: MessageId,
    /// The code of the regular answer.
    pub response_code: u8,
    /// How many answers the request gets, and which one is the last.
    pub mode: Mode,
    /// The codes and messages of other answers that may replace the regular one.
    pub alternatives: Vec<(u8, MessageId)>,
    /// The name of the enum of all answers, such as `RiakKvIndexAnswer`. Unused if
    /// there are no alternatives.
    pub answer_name: String,
    /// What an answer without a body means.
    pub absent: Absent,
    /// What the operation costs the server.
    pub cost: Cost,
    /// Whether the request may be sent again.
    pub retry: Retry,
    /// The first server release that has the operation.
    pub since: Option<String>,
    /// The part of the server that serves the operation.
    pub served_by: Option<String>,
    /// Whether the operation is only allowed while a connection is being set up.
    pub handshake: bool,
    /// Whether bodies are not protobuf, but passed through as bytes.
    pub raw: bool,
    /// Whether the request is sent without a body.
    pub bodyless: bool,
    /// The index of the request's field with the server-side timeout in
    /// milliseconds.
    pub timeout: Option<usize>,
    /// The comment above the declaration.
    pub docs: Docs,
    /// Whether the schema marks the method deprecated.
    pub deprecated: bool,
}

/// How many answers a request gets, and which one is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One answer.
    Unary,
    /// A stream of answers; the last one has its `done` flag set.
    Stream {
        /// The index of the flag among the response's fields.
        done: usize,
    },
    /// A stream if a flag of the request asks for one, otherwise one answer.
    Conditional {
        /// The index of the `done` flag among the response's fields.
        done: usize,
        /// The index, among the request's fields, of the flag that asks for a
        /// stream.
        stream_if: usize,
    },
}

/// What an answer without a body means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// A message with no field set.
    #[default]
    Defaults,
    /// The requested item does not exist.
    NotFound,
    /// The operation succeeded and has no result.
    Ok,
    /// An empty list.
    EmptyList,
}

/// What an operation costs the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// The request is answered at once.
    #[default]
    Unary,
    /// The request is answered after seconds to minutes, and needs a connection to
    /// itself.
    Long,
}

/// Whether a call whose outcome is unknown may be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Never.
    #[default]
    Never,
    /// Always.
    Safe,
    /// Only if the first attempt was certainly not sent.
    IfUnsent,
    /// Only if the request carries the causal context of a read.
    IfContext,
}

/// One row of the message-code table.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The message code.
    pub code: u8,
    /// The protobuf name of the message, without package.
    pub name: String,
    /// The name of the variant in the generated `MessageCode` enum.
    pub variant: String,
    /// The message; `None` if the schema declares none for this code.
    pub message: Option<MessageId>,
    /// Which side sends the frame.
    pub direction: Direction,
    /// Whether the body is not protobuf.
    pub raw: bool,
}

/// The side that sends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// The client.
    Request,
    /// The server.
    Response,
    /// Both sides, under the same code.
    Both,
    /// Neither: the code is assigned, but the message occurs only inside others.
    Nested,
}
