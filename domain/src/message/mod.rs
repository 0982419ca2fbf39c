//! Signed messages: their validation, and their order by time.
//! Reports every error of a body in the format of the messages API.

mod case_folding;
mod fault;
mod members;
mod phone;
mod timestamp;
mod view;

pub use case_folding::folded;
pub use fault::{Fault, FaultKind};
pub use timestamp::Timestamp;
pub use view::MessageView;

use std::{borrow::Cow, str};

use serde::de::IgnoredAny;

use members::{Member, Members};

/// The type of the event that a message becomes.
pub const MESSAGE_EVENT_TYPE: &str = "message.received";
/// Longest `message_id`, in characters.
pub const MESSAGE_ID_CHARS: usize = 255;
/// Longest `text`, in characters.
pub const TEXT_CHARS: usize = 4_096;
/// Largest body, in bytes.
pub const BODY_BYTES: usize = 1_024 * 1_024;

/// A validated message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's id of the message; unique.
    pub message_id: String,
    /// The sender: `+` and 1 to 15 digits (E.164).
    pub from: String,
    /// The recipient, in the same form.
    pub to: String,
    /// The sender's timestamp, as sent and as an instant.
    pub ts: Timestamp,
    /// The text, if any.
    pub text: Option<String>,
}

impl Message {
    /// Parses a body whose signature is valid. Unknown members are ignored.
    ///
    /// # Errors
    /// Returns every error in the order of the members, or a single error if the body is not a JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Fault>> {
        let members = members(body)?;
        let mut reader = Reader { faults: vec![] };
        let message_id = reader
            .string("message_id", members.message_id)
            .and_then(|id| reader.bounded("message_id", id, 1, MESSAGE_ID_CHARS));
        let from = reader.string("from", members.from).and_then(|number| reader.phone("from", number));
        let to = reader.string("to", members.to).and_then(|number| reader.phone("to", number));
        let ts = reader.string("ts", members.ts).and_then(|text| reader.timestamp("ts", &text));
        let text = reader
            .optional_string("text", members.text)
            .and_then(|text| reader.bounded("text", text, 0, TEXT_CHARS));
        match (message_id, from, to, ts) {
            (Some(message_id), Some(from), Some(to), Some(ts)) if reader.faults.is_empty() => {
                Ok(Self { message_id, from, to, ts, text })
            }
            _ => Err(reader.faults),
        }
    }
}

fn members(body: &[u8]) -> Result<Members<'_>, Vec<Fault>> {
    let invalid = || vec![Fault::of_body(FaultKind::JsonInvalid, "is not valid JSON")];
    let body = str::from_utf8(body).map_err(|_| invalid())?;
    serde_json::from_str(body).map_err(|wrong| {
        // The first byte shows another type; the rest was not parsed.
        if wrong.is_data() && serde_json::from_str::<IgnoredAny>(body).is_ok() {
            vec![Fault::of_body(FaultKind::ValueError, "must be a JSON object")]
        } else {
            invalid()
        }
    })
}

/// Validates members one by one and collects their errors.
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn fault<T>(&mut self, name: &'static str, kind: FaultKind, what: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::of_member(name, kind, what));
        None
    }

    fn string<'a>(&mut self, name: &'static str, member: Option<Member<'a>>) -> Option<Cow<'a, str>> {
        match member {
            None => self.fault(name, FaultKind::Missing, "is required"),
            Some(Member::Text(text)) if text.contains('\0') => {
                self.fault(name, FaultKind::ValueError, "must not contain a NUL character")
            }
            Some(Member::Text(text)) => Some(text),
            Some(Member::Null | Member::Other) => self.fault(name, FaultKind::StringType, "must be a string"),
        }
    }

    fn optional_string<'a>(
        &mut self,
        name: &'static str,
        member: Option<Member<'a>>,
    ) -> Option<Cow<'a, str>> {
        match member {
            None | Some(Member::Null) => None,
            given => self.string(name, given),
        }
    }

    /// Checks the length in characters; both bounds are inclusive.
    fn bounded(
        &mut self,
        name: &'static str,
        text: Cow<'_, str>,
        least: usize,
        most: usize,
    ) -> Option<String> {
        match text.chars().count() {
            count if count < least => {
                self.fault(name, FaultKind::StringTooShort, format!("must have at least {least} character"))
            }
            count if count > most => {
                self.fault(name, FaultKind::StringTooLong, format!("must have at most {most} characters"))
            }
            _ => Some(text.into_owned()),
        }
    }

    fn phone(&mut self, name: &'static str, number: Cow<'_, str>) -> Option<String> {
        if phone::is_e164(&number) {
            return Some(number.into_owned());
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
