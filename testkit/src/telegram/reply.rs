//! What a message gets for an answer.

use std::time::Duration;

use serde_json::{Value, json};

/// One answer to a valid message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The message is taken.
    Ok,
    /// The message is taken after a wait.
    Slow(Duration),
    /// It is refused with this code and description.
    Refuse(u16, &'static str),
    /// 429, with the wait in seconds.
    TooMany(u64),
    /// 400: the group has become the supergroup of this id.
    MovedTo(i64),
    /// The connection is closed without an answer, and the message is not taken.
    Drop,
    /// The message is taken, and the connection closed before the answer.
    Lose,
    /// No answer: the client waits until it gives up.
    Hang,
}

impl Reply {
    /// 403: the user has blocked the bot.
    pub const BLOCKED: Self = Self::Refuse(403, "Forbidden: bot was blocked by the user");
    /// 400: the bot knows no such chat.
    pub const NOT_FOUND: Self = Self::Refuse(400, "Bad Request: chat not found");
    /// 500.
    pub const BROKEN: Self = Self::Refuse(500, "Internal Server Error");

    /// Whether the chat shows the message.
    pub(super) const fn takes(self) -> bool {
        matches!(self, Self::Ok | Self::Slow(_) | Self::Lose)
    }

    /// The status and the body where it is refused in words; `None` otherwise.
    pub(super) fn refusal(self) -> Option<(u16, Value)> {
        match self {
            Self::Refuse(code, description) => Some((code, refusal(code, description, &json!(null)))),
            Self::TooMany(wait) => {
                let description = format!("Too Many Requests: retry after {wait}");
                Some((429, refusal(429, &description, &json!({"retry_after": wait}))))
            }
            Self::MovedTo(chat) => {
                let description = "Bad Request: group chat was upgraded to a supergroup chat";
                Some((400, refusal(400, description, &json!({"migrate_to_chat_id": chat}))))
            }
            Self::Ok | Self::Slow(_) | Self::Drop | Self::Lose | Self::Hang => None,
        }
    }
}

/// A refusal in the Bot API's form.
pub(super) fn refusal(code: u16, description: &str, parameters: &Value) -> Value {
    let mut body = json!({"ok": false, "error_code": code, "description": description});
    if !parameters.is_null() {
        body["parameters"] = parameters.clone();
    }
    body
}
