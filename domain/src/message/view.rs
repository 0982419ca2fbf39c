//! A message as it is shown: in lists, and as the data of its event. One shape for both.

use serde::Serialize;

use super::Message;

/// What readers see of a message; `ts` is as it was sent, `text` null where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shown<'a> {
    /// What its sender calls it.
    pub message_id: &'a str,
    /// Whom it is from.
    pub from: &'a str,
    /// Whom it is to.
    pub to: &'a str,
    /// When it was written.
    pub ts: &'a str,
    /// What it says.
    pub text: Option<&'a str>,
}

impl Message {
    /// What readers see of it.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        Shown {
            message_id: &self.message_id,
            from: &self.from,
            to: &self.to,
            ts: self.ts.as_str(),
            text: self.text.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_as_it_was_sent() {
        let sent = r#"{"message_id":"m\"1","from":"+1","to":"+2","ts":"2025-01-15T10:00:00.50Z","text":"Grüße\n🦀"}"#;
        let message = Message::parse(sent.as_bytes()).expect("valid");
        assert_eq!(serde_json::to_string(&message.shown()).expect("JSON"), sent);
        let without = Message { text: None, ..message };
        assert!(serde_json::to_string(&without.shown()).expect("JSON").ends_with(r#","text":null}"#));
    }
}
