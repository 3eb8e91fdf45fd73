//! Services, operations and message codes, as plain data.
//!
//! Invariant: that of [`Schema`](super::Schema).

use super::{Docs, MessageId};

/// One service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its protobuf name without package; the client struct has the same.
    pub name: String,
    /// Its server trait's name, such as `RiakKvServer`.
    pub server_name: String,
    /// The name of the struct that dispatches to a server trait by message
    /// code, such as `RiakKvService`.
    pub dispatcher_name: String,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
    /// The frame that answers a request which failed.
    pub error: Option<ErrorFrame>,
    /// Its methods that are operations, in order.
    pub operations: Vec<Operation>,
}

/// The frame that answers a request which failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// Its code.
    pub code: u8,
    /// Its message.
    pub message: MessageId,
    /// Index of the message's field that holds the text (`bytes` or `string`).
    pub text: usize,
    /// Index of the message's field that holds the number (`uint32`).
    pub number: Option<usize>,
}

/// One operation: a request and what answers it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts of the schema that do not depend on one another")]
pub struct Operation {
    /// The method's protobuf name, such as `ListKeys`.
    pub name: String,
    /// The method's Rust name, such as `list_keys`.
    pub rust_name: String,
    /// The request.
    pub request: MessageId,
    /// The request's code.
    pub request_code: u8,
    /// The regular answer.
    pub response: MessageId,
    /// The regular answer's code.
    pub response_code: u8,
    /// How many answers come, and which is the last.
    pub mode: Mode,
    /// Other answers that may come in its place: code and message.
    pub alternatives: Vec<(u8, MessageId)>,
    /// The name of the enum of all answers, such as `RiakKvIndexAnswer`; of no
    /// meaning where there are no alternatives.
    pub answer_name: String,
    /// What an answer without a body means.
    pub absent: Absent,
    /// What it costs the server.
    pub cost: Cost,
    /// What may be repeated.
    pub retry: Retry,
    /// First release that has it.
    pub since: Option<String>,
    /// The part of the server that serves it.
    pub served_by: Option<String>,
    /// Only legal while a connection is being set up.
    pub handshake: bool,
    /// Bodies are not protobuf: the body is taken and given as bytes.
    pub raw: bool,
    /// The request is sent without a body.
    pub bodyless: bool,
    /// Index of the request's field with the server-side timeout in
    /// milliseconds.
    pub timeout: Option<usize>,
    /// Comment above it.
    pub docs: Docs,
    /// Marked deprecated in the schema.
    pub deprecated: bool,
}

/// How many answers a request gets, and which is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One.
    Unary,
    /// Many; the last one has the bool set.
    Stream {
        /// Index of the bool among the response's fields.
        done: usize,
    },
    /// One, or many if the request says so.
    Conditional {
        /// Index of the bool among the response's fields.
        done: usize,
        /// Index of the bool that switches streaming on, among the request's
        /// fields.
        stream_if: usize,
    },
}

/// What an answer without a body means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// The message with no field set.
    #[default]
    Defaults,
    /// There is no such thing.
    NotFound,
    /// It is done, and there is nothing to say.
    Ok,
    /// An empty list.
    EmptyList,
}

/// What an operation costs the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// Answered at once.
    #[default]
    Unary,
    /// Answered after seconds to minutes; has the connection to itself.
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
    /// Only when it is certain that it was not sent.
    IfUnsent,
    /// Only when the request carries the causal context of a read.
    IfContext,
}

/// One line of the message-code table.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The code.
    pub code: u8,
    /// The message's protobuf name, without package.
    pub name: String,
    /// The name of its [`MessageCode`](crate) variant.
    pub variant: String,
    /// Its message; `None` where the schema has none.
    pub message: Option<MessageId>,
    /// Who sends it.
    pub direction: Direction,
    /// Its body is not protobuf.
    pub raw: bool,
}

/// Who sends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// The client.
    Request,
    /// The server.
    Response,
    /// Either, under the same code.
    Both,
    /// Nobody: the code is assigned, but the message only occurs inside others.
    Nested,
}
