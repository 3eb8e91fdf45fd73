//! Every frame that was recorded from a real node or written by protoc's own runtime is
//! decoded as its type, owned and borrowed, and encoded again.
//!
//! Invariant: the only frames left out are those that were malformed on purpose, and they
//! are listed.

mod replay;

use riak_client::{AnyMessage, MessageCode};
use riak_runtime::{Coded, Decode, Frame, Message, Owned, View, WriteBuffer};

use replay::{Sent, every_frame, golden, split_frames, transcript, transcripts};

/// Raw sends that are not valid requests: exchanges of the transcript `faults`, with the
/// fault of each.
const MALFORMED: [(&str, &str); 7] = [
    ("unknown-code", "a code that no message has"),
    ("truncated-body", "a field that ends behind the frame"),
    ("missing-required", "a get without a key"),
    ("bad-wire-type", "wire type 7"),
    ("zero-length-frame", "no frame at all"),
    ("zero-length-then-ping", "no frame at all, then a ping"),
    ("half-frame-then-rest", "three bytes of a length"),
];
/// Frames with unknown codes inside well-formed raw sends, which pipeline them with valid
/// frames to show that the rest is answered.
const UNKNOWN_WITHIN: [(&str, u8); 1] = [("pipelined-mixed", 199)];

/// Checks that both forms of `M` decode the frame, agree, and encode the same bytes.
fn check<M>(owned: &M, frame: &Frame, place: &str)
where
    M: Owned + Coded + PartialEq + std::fmt::Debug,
    for<'a> M::Ref<'a>: View<Owned = M>,
{
    assert_eq!(M::CODE, frame.code, "{place}");
    assert_eq!(owned.encode_to_vec(), *frame.body, "{place}: owned, written again");
    let borrowed = M::Ref::decode(&frame.body).unwrap_or_else(|error| panic!("{place}: borrowed: {error}"));
    assert_eq!(borrowed.encode_to_vec(), *frame.body, "{place}: borrowed, written again");
    assert_eq!(borrowed.owned(), *owned, "{place}: borrowed, made owned");
    let framed = frame.clone().into_framed::<M>().unwrap_or_else(|error| panic!("{place}: framed: {error}"));
    assert_eq!(framed.get().owned(), *owned, "{place}: framed, made owned");
}

macro_rules! check_message {
    ($($module:ident: $($message:ident)*;)*) => {
        fn check_message(message: &AnyMessage, frame: &Frame, place: &str) {
            match message {
                $($(AnyMessage::$message(owned) => check::<riak_client::$module::$message>(owned, frame, place),)*)*
                other => panic!("{place}: {other:?} is not in the list of messages"),
            }
        }
    };
}
every_frame!(check_message);

/// Checks a frame against its recorded name.
fn check_frame(frame: &Frame, name: Option<&str>, place: &str) {
    let message =
        AnyMessage::decode(frame).unwrap_or_else(|error| panic!("{place}: code {}: {error}", frame.code));
    assert_eq!(u8::from(message.code()), frame.code, "{place}");
    if let Some(name) = name {
        assert_eq!(message.code().name(), name, "{place}");
    }
    let mut out = WriteBuffer::new();
    message.write_to(&mut out).unwrap();
    let length = u32::try_from(frame.body.len() + 1).unwrap().to_be_bytes();
    let bytes = [&length[..], &[frame.code], &frame.body].concat();
    assert_eq!(out.to_vec(), bytes, "{place}: the whole frame, written again");
    check_message(&message, frame, place);
}

#[test]
fn every_recorded_frame_round_trips() {
    let (mut frames, mut left_out, mut within) = (0, Vec::new(), Vec::new());
    for file in transcripts() {
        for exchange in transcript(&file) {
            let place = exchange.place();
            let malformed = MALFORMED.iter().any(|(name, _)| exchange.name == *name);
            for sent in &exchange.send {
                match sent {
                    Sent::Frame(sent) => {
                        check_frame(&sent.frame, sent.name.as_deref(), &place);
                        frames += 1;
                    }
                    Sent::Raw(_) if malformed => left_out.push(exchange.name.clone()),
                    Sent::Raw(bytes) => {
                        let (sent, rest) = split_frames(bytes);
                        assert_eq!(rest, b"", "{place}: the raw send is no series of frames");
                        for frame in sent {
                            if UNKNOWN_WITHIN.contains(&(&*exchange.name, frame.code)) {
                                assert!(MessageCode::try_from(frame.code).is_err(), "{place}");
                                within.push(exchange.name.clone());
                                continue;
                            }
                            check_frame(&frame, None, &place);
                            frames += 1;
                        }
                    }
                }
            }
            for received in &exchange.recv {
                check_frame(&received.frame, received.name.as_deref(), &place);
                frames += 1;
            }
        }
    }
    assert_eq!(left_out, MALFORMED.map(|(name, _)| name), "an unneeded exception");
    assert_eq!(within, UNKNOWN_WITHIN.map(|(name, _)| name), "an unneeded exception");
    println!("{frames} recorded frames read and written, {} raw sends malformed on purpose", left_out.len());
}

#[test]
fn frames_malformed_on_purpose_do_not_decode() {
    for exchange in transcript("faults") {
        if !MALFORMED.iter().any(|(name, _)| exchange.name == *name) {
            continue;
        }
        let Sent::Raw(bytes) = &exchange.send[0] else { panic!("{} is not raw", exchange.name) };
        let (frames, rest) = split_frames(bytes);
        let reads = frames.iter().all(|frame| AnyMessage::decode(frame).is_ok());
        assert!(!reads || !rest.is_empty(), "{} is well-formed", exchange.place());
    }
}

#[test]
fn every_golden_frame_round_trips() {
    let golden = golden();
    assert!(golden.len() >= 37, "only {} golden frames", golden.len());
    for Golden { case, name, frame } in golden {
        check_frame(&frame, Some(&name), &case);
    }
}

use replay::Golden;
