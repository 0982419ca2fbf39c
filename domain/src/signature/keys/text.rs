//! The text form of an endpoint's keys, as encrypted in its row. Rows from before rotation existed contain a bare `whsec_…`,
//! which is the form of a secret without other keys, so they remain readable.

use std::{fmt::Write as _, str::FromStr};

use zeroize::Zeroizing;

use super::{
    super::{Ed25519Error, PRIVATE_KEY_PREFIX, SecretError},
    Key, MAX_OLD_KEYS, OldKey, SigningKeys,
};
use crate::clock::Millis;

/// Separates keys.
const GAP: char = ' ';
/// Separates an old key from its expiry in ms.
const UNTIL: char = '@';
/// Capacity per key, so that the text is not reallocated and copies of it left in memory.
const KEY_TEXT: usize = 128;

/// Why a text does not contain an endpoint's keys. Never contains any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A secret, current or old.
    #[error("a signing secret {0}")]
    Secret(#[from] SecretError),
    /// An ed25519 key, current or old.
    #[error("a private key {0}")]
    PrivateKey(#[from] Ed25519Error),
    /// An old key without an expiry.
    #[error("an old key must end in @ and its time of expiry in ms")]
    NoExpiry,
    /// More old keys than allowed.
    #[error("at most {MAX_OLD_KEYS} old keys")]
    TooManyOldKeys,
}

impl SigningKeys {
    /// Returns the text to encrypt: the current secret, the ed25519 key if there is one, then each old key with its expiry in
    /// ms: `whsec_… whsk_… whsec_…@1700000000000`. For encryption at rest only.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity((2 + self.old.len()) * KEY_TEXT));
        text.push_str(self.secret.expose());
        if let Some(key) = &self.private_key {
            text.push(GAP);
            text.push_str(&key.expose());
        }
        for OldKey { key, valid_until: Millis(until) } in &self.old {
            text.push(GAP);
            match key {
                Key::Hmac(secret) => text.push_str(secret.expose()),
                Key::Ed25519(key) => text.push_str(&key.expose()),
            }
            write!(text, "{UNTIL}{until}").expect("writing to a String does not fail");
        }
        text
    }
}

impl FromStr for SigningKeys {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(GAP).peekable();
        let secret = words.next().unwrap_or_default().parse()?;
        let current = words.next_if(|word| word.starts_with(PRIVATE_KEY_PREFIX) && !word.contains(UNTIL));
        let private_key = current.map(str::parse).transpose()?;
        let mut old = Vec::new();
        for word in words {
            if old.len() == MAX_OLD_KEYS {
                return Err(KeysError::TooManyOldKeys);
            }
            old.push(word.parse()?);
        }
        Ok(Self { secret, private_key, old })
    }
}

impl FromStr for OldKey {
    type Err = KeysError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (key, until) = word.split_once(UNTIL).ok_or(KeysError::NoExpiry)?;
        let valid_until = Millis(until.parse().map_err(|_| KeysError::NoExpiry)?);
        Ok(Self { key: key.parse()?, valid_until })
    }
}

impl FromStr for Key {
    type Err = KeysError;

    /// Parses a secret or a private key, by its prefix.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(PRIVATE_KEY_PREFIX) {
            Ok(Self::Ed25519(text.parse()?))
        } else {
            Ok(Self::Hmac(text.parse()?))
        }
    }
}
