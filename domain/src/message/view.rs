//! The public view of a message, shared by lists and by the data of its event.

use serde::Serialize;

use super::Message;

/// The public members of a message; `ts` is as sent, `text` is null when there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MessageView<'a> {
    /// The sender's id of the message.
    pub message_id: &'a str,
    /// The sender.
    pub from: &'a str,
    /// The recipient.
    pub to: &'a str,
    /// The sender's timestamp.
    pub ts: &'a str,
    /// The text.
    pub text: Option<&'a str>,
}

impl Message {
    /// Returns the public view.
    #[must_use]
    pub fn view(&self) -> MessageView<'_> {
        MessageView {
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
        assert_eq!(serde_json::to_string(&message.view()).expect("JSON"), sent);
        let without = Message { text: None, ..message };
        assert!(serde_json::to_string(&without.view()).expect("JSON").ends_with(r#","text":null}"#));
    }
}
