//! Notifications: one message to every recipient of a channel, as stored in its event. The channels render it; the database
//! holds the recipients.

mod chat;
mod lanes;
mod push_services;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::NoticeId;

pub use chat::{ChatId, ChatIdError, MAX_CHAT_NAME_CHARS};
pub use lanes::{
    BOT_RATE, CONFIGURED_CHAT, UNPROVEN_PUSH_IN_FLIGHT, UNPROVEN_PUSH_LANE, bot_lane, push_lane,
};
pub use push_services::{HostPattern, HostPatternError, KNOWN_PUSH_SERVICES, PushServices};
pub use values::{
    DEFAULT_NOTICE_TYPE, MAX_NAME_CHARS, MAX_NOTICE_TYPE_CHARS, MAX_PACKAGE, ValueError, check_day,
    check_note, check_package, check_text,
};

/// The type of notification events; only Hookyard publishes them.
pub const NOTIFICATION_EVENT_TYPE: &str = "hookyard.notification";
/// Longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 256;
/// Longest message, in characters. Chats get it in parts; a push message is truncated to what push services accept.
pub const MAX_MESSAGE_CHARS: usize = 16_384;

/// The content of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The title above the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The message; never empty.
    pub message: String,
    /// The link that a click opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The notice that it announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_id: Option<NoticeId>,
}

#[derive(Deserialize)]
struct Body {
    data: Notification,
}

impl Notification {
    /// Returns the `data` of its event.
    #[must_use]
    pub fn to_data(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(self).expect("strings are always written")
    }

    /// Parses the body of its event; `None` when the body is of another type or damaged.
    #[must_use]
    pub fn from_event_body(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Body>(body).ok().map(|body| body.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_in_an_event_is_read_back() {
        let bare = Notification { title: None, message: "m".into(), url: None, notice_id: None };
        let id = NoticeId::new();
        let url = Some("https://a.example/".to_owned());
        let full = Notification { title: Some("t\"".into()), url, notice_id: Some(id), ..bare.clone() };
        for one in [bare, full] {
            let body = format!(r#"{{"type":"x","timestamp":"t","data":{}}}"#, one.to_data());
            assert_eq!(Notification::from_event_body(body.as_bytes()), Some(one));
        }
        assert_eq!(Notification::from_event_body(br#"{"data":{"title":"t"}}"#), None);
        assert_eq!(Notification::from_event_body(b"x"), None);
    }
}
