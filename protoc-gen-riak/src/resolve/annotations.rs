//! The options of `riak_options.proto`, read by field number.
//!
//! Invariant: the numbers are those of that file. An option that is not set is
//! `None`; a missing option that is mandatory is reported where it is used.

use protobuf::UnknownFields;
use riak_codegen::model::{Absent, Cost, Kind, Retry};

use super::wire::{self, Entry};

/// Extension numbers.
pub(crate) mod number {
    pub(crate) const OPERATION: u32 = 50100;
    pub(crate) const ERROR: u32 = 50101;
    pub(crate) const FIELD: u32 = 50102;
    pub(crate) const CODE: u32 = 50103;
    pub(crate) const KIND: u32 = 50104;
}

/// Field numbers of `riak.Operation`, for the places of faults in it.
pub(crate) mod operation {
    pub(crate) const REQUEST: u32 = 1;
    pub(crate) const RESPONSE: u32 = 2;
    pub(crate) const DONE: u32 = 3;
    pub(crate) const STREAM_IF: u32 = 4;
    pub(crate) const ALTERNATIVE: u32 = 5;
    pub(crate) const RETRY: u32 = 10;
    pub(crate) const BODYLESS: u32 = 13;
    pub(crate) const TIMEOUT: u32 = 14;
}

/// `riak.Operation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) request: Option<u64>,
    pub(crate) response: Option<u64>,
    pub(crate) done: Option<String>,
    pub(crate) stream_if: Option<String>,
    pub(crate) alternatives: Vec<Alternative>,
    pub(crate) absent: Absent,
    pub(crate) cost: Cost,
    pub(crate) since: Option<String>,
    pub(crate) served_by: Option<String>,
    pub(crate) retry: Option<Retry>,
    pub(crate) handshake: bool,
    pub(crate) raw: bool,
    pub(crate) bodyless: bool,
    pub(crate) timeout: Option<String>,
}

/// `riak.Alternative`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alternative {
    pub(crate) code: Option<u64>,
    pub(crate) type_name: Option<String>,
}

/// `riak.ErrorFrame`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorFrame {
    pub(crate) code: Option<u64>,
    pub(crate) type_name: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) number: Option<String>,
}

/// `riak.FieldFact`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldFact {
    pub(crate) path: Option<String>,
    pub(crate) kind: Option<Result<Kind, UnknownKind>>,
}

/// Reads `(riak.operation)` of a method.
pub(crate) fn read_operation(options: &UnknownFields) -> Option<Operation> {
    let mut read = Operation::default();
    for entry in wire::message(options, number::OPERATION)? {
        let flag = || entry.integer() == Some(1);
        match entry.number {
            operation::REQUEST => read.request = entry.integer(),
            operation::RESPONSE => read.response = entry.integer(),
            operation::DONE => read.done = entry.text(),
            operation::STREAM_IF => read.stream_if = entry.text(),
            operation::ALTERNATIVE => read.alternatives.push(alternative(&entry)),
            6 => read.absent = absent(&entry),
            7 => read.cost = cost(&entry),
            8 => read.since = entry.text(),
            9 => read.served_by = entry.text(),
            operation::RETRY => read.retry = Some(retry(&entry)),
            11 => read.handshake = flag(),
            12 => read.raw = flag(),
            operation::BODYLESS => read.bodyless = flag(),
            operation::TIMEOUT => read.timeout = entry.text(),
            _ => {}
        }
    }
    Some(read)
}

/// Reads `(riak.error)` of a service.
pub(crate) fn read_error(options: &UnknownFields) -> Option<ErrorFrame> {
    let mut read = ErrorFrame::default();
    for entry in wire::message(options, number::ERROR)? {
        match entry.number {
            1 => read.code = entry.integer(),
            2 => read.type_name = entry.text(),
            3 => read.text = entry.text(),
            4 => read.number = entry.text(),
            _ => {}
        }
    }
    Some(read)
}

/// Reads all `(riak.field)` options of a file, in order.
pub(crate) fn read_facts(options: &UnknownFields) -> Vec<FieldFact> {
    let fact = |bytes: &[u8]| {
        let mut read = FieldFact::default();
        for entry in wire::entries(bytes) {
            match entry.number {
                1 => read.path = entry.text(),
                2 => read.kind = entry.integer().map(kind),
                _ => {}
            }
        }
        read
    };
    let values = wire::messages(options, number::FIELD);
    values.into_iter().map(fact).collect()
}

/// Reads `(riak.code)` of a message.
pub(crate) fn read_code(options: &UnknownFields) -> Option<u64> {
    wire::integer(options, number::CODE)
}

/// A number that is no kind of `riak_options.proto`, as it may come from a `protoc` that
/// reads another version of that file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownKind(u64);

impl std::fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not a kind that this generator knows: riak_options.proto lists them", self.0)
    }
}

/// Reads `(riak.kind)` of a field.
///
/// # Errors
///
/// If the option has a number that is no kind.
pub(crate) fn read_kind(options: &UnknownFields) -> Result<Option<Kind>, UnknownKind> {
    wire::integer(options, number::KIND).map(kind).transpose()
}

fn alternative(entry: &Entry) -> Alternative {
    let mut read = Alternative::default();
    for entry in wire::entries(entry.bytes().unwrap_or_default()) {
        match entry.number {
            1 => read.code = entry.integer(),
            2 => read.type_name = entry.text(),
            _ => {}
        }
    }
    read
}

fn absent(entry: &Entry) -> Absent {
    match entry.integer() {
        Some(1) => Absent::NotFound,
        Some(2) => Absent::Ok,
        Some(3) => Absent::EmptyList,
        _ => Absent::Defaults,
    }
}

fn cost(entry: &Entry) -> Cost {
    match entry.integer() {
        Some(1) => Cost::Long,
        _ => Cost::Unary,
    }
}

/// Reads a retry class. A class that this generator does not know is read as
/// `Never`, the safe choice.
fn retry(entry: &Entry) -> Retry {
    match entry.integer() {
        Some(1) => Retry::Safe,
        Some(2) => Retry::IfUnsent,
        Some(3) => Retry::IfContext,
        _ => Retry::Never,
    }
}

fn kind(number: u64) -> Result<Kind, UnknownKind> {
    Ok(match number {
        0 => Kind::Plain,
        1 => Kind::Quorum,
        2 => Kind::VClock,
        3 => Kind::Context,
        4 => Kind::Millis,
        5 => Kind::Key,
        6 => Kind::Text,
        7 => Kind::Continuation,
        8 => Kind::Secret,
        9 => Kind::Bucket,
        10 => Kind::BucketType,
        11 => Kind::UnixSeconds,
        12 => Kind::NodeConfirms,
        13 => Kind::CoverContext,
        _ => return Err(UnknownKind(number)),
    })
}

/// Returns the name of a kind in `riak_options.proto`.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Quorum => "QUORUM",
        Kind::VClock => "VCLOCK",
        Kind::Context => "CONTEXT",
        Kind::Millis => "MILLIS",
        Kind::Key => "KEY",
        Kind::Text => "TEXT",
        Kind::Continuation => "CONTINUATION",
        Kind::Secret => "SECRET",
        Kind::Bucket => "BUCKET",
        Kind::BucketType => "BUCKET_TYPE",
        Kind::UnixSeconds => "UNIX_SECONDS",
        Kind::NodeConfirms => "NODE_CONFIRMS",
        Kind::CoverContext => "COVER_CONTEXT",
        _ => "PLAIN",
    }
}
