//! A small schema, written by hand in the form of generated code, and a service that
//! answers each request with the nonce that it carried.
//!
//! Invariant: an answer always belongs to the request whose nonce it carries.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses its part of it")]

#[cfg(feature = "client")]
pub mod client;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use riak_runtime::operation::{Absent, Alternative, Cost, ErrorFrame, Mode, Retry, StreamEnd};
use riak_runtime::server::{
    ErrorReply, Failure, Outbox, Replies, Reply, Server, ServerConfig, ServerHandle, Service, unserved,
};
use riak_runtime::wire::{self, Bool, Bytes, Context, Reader, Reads, Uint32, Writer, Writes};
use riak_runtime::{
    Answer, Blob, Coded, Decode, DecodeError, DecodeErrorKind, DecodeLimits, Frame, FrameError, Message,
    Operation, Owned, Request, WriteBuffer,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const ERROR: ErrorFrame = ErrorFrame { code: 0, text: 1, number: Some(2) };

pub const fn operation(
    name: &'static str,
    request: u8,
    response: u8,
    alternatives: &'static [Alternative],
    mode: Mode,
    cost: Cost,
) -> Operation {
    Operation {
        name,
        request,
        response,
        alternatives,
        error: Some(ERROR),
        mode,
        cost,
        retry: Retry::Safe,
        absent: Absent::Defaults,
        bodyless: false,
        handshake: false,
        since: None,
        served_by: None,
        timeout: None,
    }
}

const END: StreamEnd = StreamEnd { field: 3, when_absent: false };

pub static ECHO: Operation = operation("Echo.Echo", 9, 10, &[], Mode::Unary, Cost::Unary);
pub static LIST: Operation = operation("Echo.List", 17, 18, &[], Mode::Stream(END), Cost::Unary);
pub static FOLD: Operation = operation("Echo.Fold", 33, 34, &[], Mode::Unary, Cost::Long);
pub static INDEX: Operation = operation(
    "Echo.Index",
    25,
    26,
    &[Alternative { code: 42, end: None }],
    Mode::Conditional { end: END, stream_if: 3 },
    Cost::Unary,
);
pub static PING: Operation =
    Operation { bodyless: true, ..operation("Echo.Ping", 1, 2, &[], Mode::Unary, Cost::Unary) };

/// Defines a message, with the fields that all messages share, and its borrowed form.
macro_rules! message {
    ($name:ident, $reference:ident, $code:literal) => {
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            pub nonce: Blob,
            pub count: Option<u32>,
            pub flag: Option<bool>,
        }

        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $reference<'a> {
            pub nonce: &'a [u8],
            pub count: Option<u32>,
            pub flag: Option<bool>,
        }

        message!(form $name, []);
        message!(form $reference<'b>, ['b]);
        message!(decode $name);

        impl<'a> Decode<'a> for $reference<'a> {
            fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
                message!(fields self, input, ctx)
            }
        }

        impl Coded for $name {
            const CODE: u8 = $code;
        }

        impl Coded for $reference<'_> {
            const CODE: u8 = $code;
        }

        impl Owned for $name {
            type Ref<'a> = $reference<'a>;

            fn shorten<'short, 'long: 'short>(view: &'short $reference<'long>) -> &'short $reference<'short> {
                view
            }
        }
    };
    (form $name:ty, [$($lifetime:lifetime)?]) => {
        impl$(<$lifetime>)? Message for $name {
            const NAME: &'static str = stringify!($name);

            fn encode<'w>(&self, out: Writer<'w>) -> Writer<'w> {
                let out = Bytes::put(0x0a, &self.nonce, out);
                let out = Uint32::put_optional(0x10, &self.count, out);
                Bool::put_optional(0x18, &self.flag, out)
            }
        }
    };
    (decode $name:ty) => {
        impl<'a> Decode<'a> for $name {
            fn merge(&mut self, mut input: Reader<'a>, ctx: &mut Context<'a>) -> Result<(), DecodeError> {
                message!(fields self, input, ctx)
            }
        }
    };
    (fields $self:ident, $input:ident, $ctx:ident) => {{
        while let Some(tag) = $input.tag($ctx)? {
            match tag {
                0x0a => $self.nonce = Bytes::read(&mut $input, $ctx)?,
                0x10 => $self.count = Some(Uint32::read(&mut $input, $ctx)?),
                0x18 => $self.flag = Some(Bool::read(&mut $input, $ctx)?),
                _ => wire::read_unknown(tag, &mut wire::Ignore, &mut $input, $ctx)?,
            }
        }
        Ok(())
    }};
}

message!(EchoReq, EchoReqRef, 9);
message!(EchoResp, EchoRespRef, 10);
message!(ListReq, ListReqRef, 17);
message!(ListResp, ListRespRef, 18);
message!(FoldReq, FoldReqRef, 33);
message!(FoldResp, FoldRespRef, 34);
message!(IndexReq, IndexReqRef, 25);
message!(IndexResp, IndexRespRef, 26);
message!(IndexBodyResp, IndexBodyRespRef, 42);
message!(PingReq, PingReqRef, 1);
message!(PingResp, PingRespRef, 2);

macro_rules! request {
    ($request:ident, $reference:ident, $response:ident, $operation:ident $(, $asks:ident)?) => {
        request!(form $request, $request, $response, $operation $(, $asks)?);
        request!(form $reference<'_>, $request, $response, $operation $(, $asks)?);
    };
    (form $form:ty, $request:ident, $response:ident, $operation:ident $(, $asks:ident)?) => {
        impl Request for $form {
            type Owned = $request;
            type Response = $response;
            const OPERATION: &'static Operation = &$operation;
            $(fn asks_for_stream(&self) -> Option<bool> { self.$asks })?
        }
    };
}

request!(EchoReq, EchoReqRef, EchoResp, ECHO);
request!(ListReq, ListReqRef, ListResp, LIST);
request!(FoldReq, FoldReqRef, FoldResp, FOLD);
request!(IndexReq, IndexReqRef, IndexResp, INDEX, flag);
request!(PingReq, PingReqRef, PingResp, PING);

/// The possible answers to `Echo.Index`.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexAnswer {
    Regular(IndexResp),
    Body(IndexBodyResp),
}

impl Answer for IndexAnswer {
    fn from_frame_within(frame: &Frame, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        match frame.code {
            26 => frame.decode_within(limits).map(Self::Regular),
            42 => frame.decode_within(limits).map(Self::Body),
            code => Err(DecodeError::new(DecodeErrorKind::UnexpectedCode { code }, 0)),
        }
    }
}

impl Reply for IndexAnswer {
    fn push(&self, out: &mut WriteBuffer) -> Result<(), FrameError> {
        match self {
            Self::Regular(answer) => out.push(26, answer),
            Self::Body(answer) => out.push(42, answer),
        }
    }
}

/// The server trait, as the generator would write it.
pub trait EchoServer: Send + Sync + 'static {
    fn echo(&self, request: EchoReq) -> impl Future<Output = Result<EchoResp, Failure>> + Send {
        let _ = request;
        unserved(9)
    }

    fn list(
        &self,
        request: ListReq,
        replies: &mut Replies<'_, ListResp>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = (request, replies);
        unserved(17)
    }

    fn fold(&self, request: FoldReq) -> impl Future<Output = Result<FoldResp, Failure>> + Send {
        let _ = request;
        unserved(33)
    }

    fn index(&self, request: IndexReq) -> impl Future<Output = Result<IndexAnswer, Failure>> + Send {
        let _ = request;
        unserved(25)
    }

    fn index_stream(
        &self,
        request: IndexReq,
        replies: &mut Replies<'_, IndexResp>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = (request, replies);
        unserved(25)
    }
}

/// The dispatcher, as the generator would write it.
#[derive(Clone, Copy, Debug)]
pub struct EchoService<S>(pub S);

impl<S: EchoServer> Service for EchoService<S> {
    fn serves(&self, code: u8) -> bool {
        matches!(code, 9 | 17 | 25 | 33)
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        Some(ERROR)
    }

    async fn call(&self, request: Frame, outbox: &mut Outbox) -> Result<(), Failure> {
        match request.code {
            9 => {
                let answer = self.0.echo(outbox.decode(&request)?).await?;
                outbox.answer(&answer)
            }
            17 => {
                let request = outbox.decode::<ListReq>(&request)?;
                let mut replies = outbox.replies::<ListReq>();
                self.0.list(request, &mut replies).await?;
                replies.finish().await
            }
            33 => {
                let answer = self.0.fold(outbox.decode(&request)?).await?;
                outbox.answer(&answer)
            }
            25 => {
                let request = outbox.decode::<IndexReq>(&request)?;
                if request.asks_for_stream() == Some(true) {
                    let mut replies = outbox.replies::<IndexReq>();
                    self.0.index_stream(request, &mut replies).await?;
                    replies.finish().await
                } else {
                    let answer = self.0.index(request).await?;
                    outbox.answer(&answer)
                }
            }
            code => unserved(code).await,
        }
    }
}

/// Answers with the content of the request. A request's `count` is the number of
/// answers in a stream. Some nonces trigger errors, delays or a closed connection.
#[derive(Clone, Debug, Default)]
pub struct Mirror;

impl EchoServer for Mirror {
    async fn echo(&self, request: EchoReq) -> Result<EchoResp, Failure> {
        match &request.nonce[..] {
            b"error" => Err(ErrorReply::new("overload").with_number(7).into()),
            b"close" => Err(ErrorReply::new("crash").and_close().into()),
            b"hang up" => Err(Failure::Hangup),
            b"hang" => std::future::pending().await,
            _ => Ok(EchoResp { nonce: request.nonce, count: request.count, flag: None }),
        }
    }

    async fn list(&self, request: ListReq, replies: &mut Replies<'_, ListResp>) -> Result<(), Failure> {
        for index in 0..request.count.unwrap_or(0) {
            let answer = ListResp { nonce: request.nonce.clone(), count: Some(index), flag: None };
            replies.send(&answer).await?;
        }
        match &request.nonce[..] {
            b"error" => Err(ErrorReply::new("timeout").into()),
            b"hang" => std::future::pending().await,
            // The handler marks its last answer itself.
            b"explicit" => {
                replies.send(&ListResp { nonce: request.nonce, count: None, flag: Some(true) }).await
            }
            _ => Ok(()),
        }
    }

    async fn fold(&self, request: FoldReq) -> Result<FoldResp, Failure> {
        match &request.nonce[..] {
            b"hang" => std::future::pending().await,
            _ => Ok(FoldResp { nonce: request.nonce, count: request.count, flag: None }),
        }
    }

    async fn index(&self, request: IndexReq) -> Result<IndexAnswer, Failure> {
        let IndexReq { nonce, count, flag } = request;
        Ok(match &nonce[..] {
            b"body" => IndexAnswer::Body(IndexBodyResp { nonce, count, flag: None }),
            _ => IndexAnswer::Regular(IndexResp { nonce, count, flag }),
        })
    }

    async fn index_stream(
        &self,
        request: IndexReq,
        replies: &mut Replies<'_, IndexResp>,
    ) -> Result<(), Failure> {
        for index in 0..request.count.unwrap_or(0) {
            let answer = IndexResp { nonce: request.nonce.clone(), count: Some(index), flag: None };
            replies.send(&answer).await?;
        }
        Ok(())
    }
}

/// Serves a service on a socket of its own until the runtime ends.
pub async fn serve(
    config: ServerConfig,
    service: impl Service,
) -> (SocketAddr, ServerHandle, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(config);
    let handle = server.handle();
    (address, handle, tokio::spawn(server.serve(listener, service)))
}

/// Serves [`Mirror`] on a socket of its own until the runtime ends.
pub async fn mirror() -> SocketAddr {
    serve(ServerConfig::default(), Arc::new(EchoService(Mirror))).await.0
}

pub fn echo(nonce: &str) -> EchoReq {
    EchoReq { nonce: Blob::from(nonce), ..EchoReq::default() }
}

pub fn list(nonce: &str, count: u32) -> ListReq {
    ListReq { nonce: Blob::from(nonce), count: Some(count), flag: None }
}

pub fn fold(nonce: &str) -> FoldReq {
    FoldReq { nonce: Blob::from(nonce), ..FoldReq::default() }
}

/// Encodes a frame.
pub fn frame(code: u8, body: &[u8]) -> Vec<u8> {
    let mut out = WriteBuffer::new();
    out.push_body(code, body).unwrap();
    out.to_vec()
}

/// Encodes a message and its frame.
pub fn framed<M: Message + Coded>(message: &M) -> Vec<u8> {
    frame(M::CODE, &message.encode_to_vec())
}
