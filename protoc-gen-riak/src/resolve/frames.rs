//! The message-code table: which message each code stands for.
//!
//! A declaration that gives a message a code claims the pair. Invariant: in a
//! finished book one code stands for one message and one message has one code; a
//! claim that breaks this is reported with both places and changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use riak_codegen::ident::{Scope, upper_camel_case};
use riak_codegen::model::{Direction, Frame, Message, MessageId, Presence, Schema, Type};

use super::report::{Place, Report};

/// Who sends the frame, as far as a claim says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Request,
    Response,
    /// The claim gives only the code.
    Unknown,
}

/// A claim: a code given to a message.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) code: u8,
    pub(crate) message: MessageId,
    pub(crate) role: Role,
    pub(crate) raw: bool,
    /// Whether the claim is made in a file for which code is emitted.
    pub(crate) emit: bool,
    pub(crate) place: Place,
}

/// What is known about one code.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts from several claims")]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) message: Option<MessageId>,
    pub(crate) request: bool,
    pub(crate) response: bool,
    pub(crate) raw: bool,
    pub(crate) emit: bool,
    pub(crate) place: Place,
}

/// The codes of a schema.
#[derive(Debug, Default)]
pub(crate) struct CodeBook {
    slots: BTreeMap<u8, Slot>,
    by_message: HashMap<MessageId, u8>,
}

impl CodeBook {
    pub(crate) fn slot(&self, code: u8) -> Option<&Slot> {
        self.slots.get(&code)
    }

    pub(crate) fn code_of(&self, message: MessageId) -> Option<u8> {
        self.by_message.get(&message).copied()
    }

    /// Returns the code of a message name without its package, as in tables.
    pub(crate) fn code_named(&self, name: &str) -> Option<u8> {
        let named = self.slots.iter().find(|(_, slot)| slot.name == name);
        named.map(|(&code, _)| code)
    }

    /// Records a claim, and returns whether it is valid.
    pub(crate) fn claim(&mut self, claim: &Claim, messages: &[Message], report: &mut Report) -> bool {
        let &Claim { code, message, .. } = claim;
        let full_name = &messages[message.0].full_name;
        if let Some(slot) = self.slots.get_mut(&code) {
            if slot.message != Some(message) {
                let text = format!(
                    "code {code} of {full_name} is that of {} already ({}): one code stands for one message",
                    slot.name,
                    slot.place.short()
                );
                report.fault(&claim.place, text);
                return false;
            }
            if slot.raw != claim.raw && claim.role != Role::Unknown {
                if slot.request || slot.response {
                    let (here, there) = if claim.raw { ("raw", "not") } else { ("not raw", "raw") };
                    let text = format!(
                        "{full_name} is {here} here, and {there} elsewhere ({}): a code has one kind of body",
                        slot.place.short()
                    );
                    report.fault(&claim.place, text);
                    return false;
                }
                slot.raw = claim.raw;
            }
            slot.request |= claim.role == Role::Request;
            slot.response |= claim.role == Role::Response;
            slot.emit |= claim.emit;
            return true;
        }
        if let Some(other) = self.by_message.get(&message) {
            let place = self.slots.get(other).map(|slot| slot.place.short());
            let text = format!(
                "{full_name} has the code {other} already ({}) and cannot have {code} as well: \
                 a message is the body of one frame",
                place.unwrap_or_default()
            );
            report.fault(&claim.place, text);
            return false;
        }
        self.by_message.insert(message, code);
        let slot = Slot {
            name: last_part(full_name).to_owned(),
            message: Some(message),
            request: claim.role == Role::Request,
            response: claim.role == Role::Response,
            raw: claim.raw,
            emit: claim.emit,
            place: claim.place.clone(),
        };
        self.slots.insert(code, slot);
        true
    }

    /// Records a code whose message is in a schema that was not read.
    pub(crate) fn reserve(&mut self, code: u8, name: &str, place: &Place) {
        self.slots.entry(code).or_insert_with(|| Slot {
            name: name.to_owned(),
            message: None,
            request: false,
            response: false,
            raw: false,
            emit: true,
            place: place.clone(),
        });
    }

    /// Writes the codes into the schema.
    pub(crate) fn finish(self, schema: &mut Schema) {
        let nested = nested(&schema.messages);
        for (&id, &code) in &self.by_message {
            schema.messages[id.0].code = Some(code);
        }
        let mut variants = Scope::new();
        schema.frames = self
            .slots
            .into_iter()
            .filter(|(_, slot)| slot.emit)
            .map(|(code, slot)| Frame {
                code,
                variant: variants.take(&upper_camel_case(&slot.name)),
                direction: direction(&slot, &nested),
                name: slot.name,
                message: slot.message,
                raw: slot.raw,
            })
            .collect();
    }
}

/// Returns the messages that are fields of other messages.
fn nested(messages: &[Message]) -> HashSet<MessageId> {
    let fields = messages.iter().flat_map(|message| &message.fields);
    fields
        .filter_map(|field| match field.ty {
            Type::Message(id) | Type::Group(id) => Some(id),
            _ => None,
        })
        .collect()
}

/// Returns who sends a frame: as the operations say, or else as its name says. A
/// frame without either goes both ways, or is nested if other messages contain it.
fn direction(slot: &Slot, nested: &HashSet<MessageId>) -> Direction {
    match (slot.request, slot.response) {
        (true, false) => Direction::Request,
        (false, true) => Direction::Response,
        (true, true) => Direction::Both,
        (false, false) => {
            if slot.name.ends_with("Req") {
                Direction::Request
            } else if slot.name.ends_with("Resp") {
                Direction::Response
            } else if slot.message.is_some_and(|id| nested.contains(&id)) {
                Direction::Nested
            } else {
                Direction::Both
            }
        }
    }
}

/// Converts a number to a code.
///
/// # Errors
///
/// A text that says what is wrong with the number.
pub(crate) fn code(number: u64, what: &str) -> Result<u8, String> {
    u8::try_from(number)
        .map_err(|_| format!("{number} is not a code for {what}: a code is one byte, 0 to 255"))
}

/// Returns a name without its package and outer messages.
pub(crate) fn last_part(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// Reports whether a field holds at most one value and is not a oneof member.
pub(crate) fn is_singular(presence: Presence) -> bool {
    matches!(presence, Presence::Required | Presence::Explicit | Presence::Implicit)
}
