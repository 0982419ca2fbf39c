//! Signed messages: what one must look like, and the order that its time gives it.
//! Every fault of a body is found, in the words that the ingest surface answers with.

mod fault;
mod fold;
mod phone;
mod timestamp;

pub use fault::{Fault, FaultKind};
pub use fold::folded;
pub use timestamp::Timestamp;

use serde_json::{Map, Value};

/// Longest `message_id`, in characters.
pub const MESSAGE_ID_CHARS: usize = 255;
/// Longest `text`, in characters.
pub const TEXT_CHARS: usize = 4_096;
/// Largest body, in bytes.
pub const BODY_BYTES: usize = 1_024 * 1_024;

/// A message as it came in, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the sender calls it; one message an id.
    pub message_id: String,
    /// Whom it is from: `+` and 1 to 15 digits (E.164).
    pub from: String,
    /// Whom it is to, in the same form.
    pub to: String,
    /// When it was written, as sent and as an instant.
    pub ts: Timestamp,
    /// What it says, if anything.
    pub text: Option<String>,
}

impl Message {
    /// Reads a body whose signature holds. Members that are not known are ignored.
    ///
    /// # Errors
    /// Every fault, in the order of the members; for a body that is no JSON object, that one.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Fault>> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| vec![Fault::of_body(FaultKind::JsonInvalid, "is not valid JSON")])?;
        let Value::Object(members) = body else {
            return Err(vec![Fault::of_body(FaultKind::ValueError, "must be a JSON object")]);
        };
        let mut reader = Reader { members, faults: vec![] };
        let message_id =
            reader.string("message_id").and_then(|id| reader.bounded("message_id", id, 1, MESSAGE_ID_CHARS));
        let from = reader.string("from").and_then(|number| reader.phone("from", number));
        let to = reader.string("to").and_then(|number| reader.phone("to", number));
        let ts = reader.string("ts").and_then(|text| reader.timestamp("ts", &text));
        let text =
            reader.optional_string("text").and_then(|text| reader.bounded("text", text, 0, TEXT_CHARS));
        match (message_id, from, to, ts) {
            (Some(message_id), Some(from), Some(to), Some(ts)) if reader.faults.is_empty() => {
                Ok(Self { message_id, from, to, ts, text })
            }
            _ => Err(reader.faults),
        }
    }
}

/// Takes the members that it is asked for, and keeps what is wrong with them.
struct Reader {
    members: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader {
    fn fault<T>(&mut self, name: &'static str, kind: FaultKind, what: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::of_member(name, kind, what));
        None
    }

    fn string(&mut self, name: &'static str) -> Option<String> {
        match self.members.remove(name) {
            None => self.fault(name, FaultKind::Missing, "is required"),
            Some(value) => self.as_string(name, value),
        }
    }

    fn optional_string(&mut self, name: &'static str) -> Option<String> {
        match self.members.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.as_string(name, value),
        }
    }

    fn as_string(&mut self, name: &'static str, value: Value) -> Option<String> {
        match value {
            Value::String(text) if text.contains('\0') => {
                self.fault(name, FaultKind::ValueError, "must not contain a NUL character")
            }
            Value::String(text) => Some(text),
            _ => self.fault(name, FaultKind::StringType, "must be a string"),
        }
    }

    /// Bounds in characters, both included.
    fn bounded(&mut self, name: &'static str, text: String, least: usize, most: usize) -> Option<String> {
        match text.chars().count() {
            count if count < least => {
                self.fault(name, FaultKind::StringTooShort, format!("must have at least {least} character"))
            }
            count if count > most => {
                self.fault(name, FaultKind::StringTooLong, format!("must have at most {most} characters"))
            }
            _ => Some(text),
        }
    }

    fn phone(&mut self, name: &'static str, number: String) -> Option<String> {
        if phone::is_e164(&number) {
            return Some(number);
        }
        self.fault(name, FaultKind::ValueError, "must be + and 1 to 15 digits (E.164)")
    }

    fn timestamp(&mut self, name: &'static str, text: &str) -> Option<Timestamp> {
        match Timestamp::parse(text) {
            Some(timestamp) => Some(timestamp),
            None => self.fault(
                name,
                FaultKind::ValueError,
                "must be a time in UTC that ends in Z, such as 2025-01-15T10:00:00Z",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
