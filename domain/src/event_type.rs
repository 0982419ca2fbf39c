//! Names of event types: their syntax, and which names are reserved for Hookyard.
//! Whether a type exists is stored in the database.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::id::EventTypeId;

/// Most characters of a name.
pub const MAX_NAME_CHARS: usize = 255;
/// Notifies the owner of an endpoint that it was disabled. Every endpoint may register for it; the first one creates its row.
pub const ENDPOINT_DISABLED: &str = "endpoint.disabled";
/// The event types that every database contains from the start; they cannot be deleted.
pub const SEEDED: &[&str] = &[crate::upload::UPLOAD_EVENT_TYPE, crate::message::MESSAGE_EVENT_TYPE];
/// The prefix of reserved names, in any case.
const HOUSE_PREFIX: &str = "hookyard.";

/// A name of 1 to [`MAX_NAME_CHARS`] printable characters that does not look like an id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventTypeName(String);

/// Why a text is rejected as the name of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or above [`MAX_NAME_CHARS`].
    #[error("must have 1 to {MAX_NAME_CHARS} characters")]
    Length,
    /// Control characters or line ends.
    #[error("must not contain control characters")]
    Control,
    /// White space at either end, which would be invisible.
    #[error("must not begin or end with a blank")]
    Blank,
    /// A name that looks like an id: event types are referenced by name or id.
    #[error("must not look like a UUID")]
    LooksLikeId,
}

impl EventTypeName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only Hookyard creates event types of this name.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }
}

/// Whether only Hookyard creates event types of this name; the name need not be valid.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let begins = name.get(..HOUSE_PREFIX.len());
    name == ENDPOINT_DISABLED || begins.is_some_and(|begin| begin.eq_ignore_ascii_case(HOUSE_PREFIX))
}

impl FromStr for EventTypeName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.chars().nth(MAX_NAME_CHARS).is_some() {
            return Err(NameError::Length);
        }
        // Line and paragraph separators break lines like control characters.
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(NameError::Control);
        }
        if text.trim() != text {
            return Err(NameError::Blank);
        }
        match Uuid::try_parse(text) {
            Ok(_) => Err(NameError::LooksLikeId),
            Err(_) => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for EventTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reference to an event type in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTypeRef {
    /// By its id.
    Id(EventTypeId),
    /// By its name.
    Name(EventTypeName),
}

impl FromStr for EventTypeRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> NameError {
        text.parse::<EventTypeName>().expect_err("refused")
    }

    #[test]
    fn a_name_is_printable_and_bounded_in_characters() {
        for name in ["a", "upload file", "invoice/paid", "ä", &"ä".repeat(255), "50%"] {
            assert_eq!(name.parse::<EventTypeName>().expect(name).as_str(), name);
        }
        assert_eq!((refused(""), refused(&"ä".repeat(256))), (NameError::Length, NameError::Length));
        for name in ["a\nb", "a\0", "\u{7f}", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(refused(name), NameError::Control, "{name:?}");
        }
        assert_eq!((refused(" a"), refused("a ")), (NameError::Blank, NameError::Blank));
    }

    #[test]
    fn a_name_is_never_mistaken_for_an_id() {
        let id = "21f8e1f7-4142-42f9-ac30-74961702b2eb";
        for text in [id.to_owned(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}")] {
            assert_eq!(refused(&text), NameError::LooksLikeId, "{text}");
            assert_eq!(text.parse(), Ok(EventTypeRef::Id(id.parse().expect("an id"))));
        }
        assert!(matches!("invoice.paid".parse(), Ok(EventTypeRef::Name(_))));
    }

    #[test]
    fn names_of_hookyard_are_reserved() {
        let reserved = |name: &str| name.parse::<EventTypeName>().expect(name).is_reserved();
        for name in ["hookyard.test", "hookyard.", "HookYard.x", ENDPOINT_DISABLED] {
            assert!(reserved(name), "{name}");
        }
        for name in ["hookyard", "hookyards.x", "my.hookyard.x", "endpoint.disabled2", "höokyard.x"] {
            assert!(!reserved(name), "{name}");
        }
    }
}
