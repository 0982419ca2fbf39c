//! Ids of Telegram chats. Each chat has one spelling, so that no chat gets a message twice. Telegram decides whether a chat
//! exists.

use std::fmt;

/// Most characters of a name, without its `@`.
pub const MAX_CHAT_NAME_CHARS: usize = 64;

/// A chat: a 64-bit integer, or `@` and the name of a public chat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChatId(String);

/// The text is not a chat id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number, or a name like @channel")]
pub struct ChatIdError;

impl ChatId {
    /// Parses either form. Names are stored in lower case: Telegram ignores case.
    ///
    /// # Errors
    /// When it is neither a number nor `@` and 1 to [`MAX_CHAT_NAME_CHARS`] letters, digits and underscores.
    pub fn parse(text: &str) -> Result<Self, ChatIdError> {
        match text.strip_prefix('@') {
            Some(name) if is_name(name) => Ok(Self(text.to_ascii_lowercase())),
            Some(_) => Err(ChatIdError),
            None => text.parse().map(Self::from_number).map_err(|_| ChatIdError),
        }
    }

    /// Returns the chat with this number; groups have negative numbers.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        Self(number.to_string())
    }

    /// Returns the text that is stored and sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_CHAT_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        ChatId::parse(text).ok().map(|chat| chat.to_string())
    }

    #[test]
    fn a_chat_is_a_number_or_a_name_and_has_one_spelling() {
        for (text, chat) in [
            ("42", "42"),
            ("-1001234567890", "-1001234567890"),
            ("+42", "42"),
            ("007", "7"),
            ("9223372036854775807", "9223372036854775807"),
            ("@Channel_1", "@channel_1"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(chat), "{text}");
        }
        let longest = format!("@{}", "n".repeat(MAX_CHAT_NAME_CHARS));
        assert_eq!(parsed(&longest), Some(longest.clone()));
        for bad in ["", "@", "channel", "@a b", "@ä", "@a-b", " 42", "4.2", "9223372036854775808"] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
        assert_eq!(parsed(&(longest + "n")), None);
    }
}
