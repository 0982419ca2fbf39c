//! Idempotency keys: an event is published once per key.

/// Most characters of a key.
pub const MAX_KEY_CHARS: usize = 255;

/// A key of 1 to [`MAX_KEY_CHARS`] characters without control characters; compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Why a key is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or above [`MAX_KEY_CHARS`].
    #[error("must have 1 to {MAX_KEY_CHARS} characters")]
    Length,
    /// Contains a control character.
    #[error("must not contain control characters")]
    Control,
}

impl IdempotencyKey {
    /// Validates a key.
    ///
    /// # Errors
    /// When it is empty, too long, or has a control character.
    pub fn parse(key: &str) -> Result<Self, KeyError> {
        if !(1..=MAX_KEY_CHARS).contains(&key.chars().count()) {
            return Err(KeyError::Length);
        }
        if key.chars().any(char::is_control) {
            return Err(KeyError::Control);
        }
        Ok(Self(key.to_owned()))
    }

    /// Returns the text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_characters_and_no_control_characters() {
        let of = |count: usize| IdempotencyKey::parse(&"ä".repeat(count)).map(|key| key.as_str().len());
        assert_eq!((of(0), of(1)), (Err(KeyError::Length), Ok(2)));
        assert_eq!((of(255), of(256)), (Ok(510), Err(KeyError::Length)));
        for key in ["a\0", "\n", "a\u{7f}", "\u{85}"] {
            assert_eq!(IdempotencyKey::parse(key), Err(KeyError::Control), "{key:?}");
        }
        assert!(IdempotencyKey::parse(" order 7 / \"quoted\" ").is_ok());
    }
}
