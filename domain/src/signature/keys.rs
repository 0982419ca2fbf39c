//! The signing keys of an endpoint: the current ones, and old ones that receivers may still use.
//! Reads no clock: the time of each send decides whether an old key still signs.

mod text;

use std::{fmt, str::FromStr, time::Duration};

use super::{PrivateKey, PublicKey, SigningSecret, write::Signatures};
use crate::{clock::Millis, string_enum::string_enum};

pub use text::KeysError;

/// Most old keys of an endpoint.
pub const MAX_OLD_KEYS: usize = 10;
/// Default time that an old key keeps signing after a rotation.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(24 * 3_600);
/// Longest time that an old key may keep signing.
pub const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 3_600);

string_enum! {
    /// The kinds of signatures of an endpoint.
    Signing {
        /// `v1` only, with the shared secret.
        Hmac = "hmac",
        /// `v1` and `v1a`: receivers may verify with the public key, which can't sign.
        Ed25519 = "ed25519",
    }
}

/// One key of either kind.
#[derive(Clone, Debug)]
pub enum Key {
    /// Makes `v1` signatures.
    Hmac(SigningSecret),
    /// Makes `v1a` signatures.
    Ed25519(PrivateKey),
}

/// A replaced key that also signs sends before its expiry.
#[derive(Clone, Debug)]
struct OldKey {
    key: Key,
    valid_until: Millis,
}

/// The keys of one endpoint: a secret, an optional ed25519 key, and at most [`MAX_OLD_KEYS`] old keys.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    secret: SigningSecret,
    private_key: Option<PrivateKey>,
    /// The newest first.
    old: Vec<OldKey>,
}

/// A rotation would exceed [`MAX_OLD_KEYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "at most {MAX_OLD_KEYS} old keys may be valid at a time: wait for one to expire, or rotate without grace"
)]
pub struct TooManyOldKeys;

impl SigningKeys {
    /// Creates the keys of an endpoint that signs with `secret` only.
    #[must_use]
    pub const fn new(secret: SigningSecret) -> Self {
        Self { secret, private_key: None, old: Vec::new() }
    }

    /// Returns the current secret.
    #[must_use]
    pub const fn secret(&self) -> &SigningSecret {
        &self.secret
    }

    /// Returns the kinds of signatures that these keys make.
    #[must_use]
    pub const fn signing(&self) -> Signing {
        if self.private_key.is_some() { Signing::Ed25519 } else { Signing::Hmac }
    }

    /// Switches the kinds of signatures: generates a missing ed25519 key, or removes all of them.
    #[must_use]
    pub fn with_signing(self, signing: Signing) -> Self {
        match signing {
            Signing::Hmac => self.without_ed25519(),
            Signing::Ed25519 if self.private_key.is_some() => self,
            Signing::Ed25519 => self.with_ed25519(PrivateKey::generate()),
        }
    }

    /// Returns the public key of the current ed25519 key; none if the endpoint signs with secrets only.
    #[must_use]
    pub fn public_key(&self) -> Option<PublicKey> {
        self.private_key.as_ref().map(PrivateKey::public)
    }

    /// Sets the ed25519 key. A previous one stops signing at once; use [`SigningKeys::rotated`] for a grace period.
    #[must_use]
    pub fn with_ed25519(self, key: PrivateKey) -> Self {
        Self { private_key: Some(key), ..self }
    }

    /// Removes every ed25519 key, old ones included: all signatures are `v1` from now on.
    #[must_use]
    pub fn without_ed25519(mut self) -> Self {
        self.old.retain(|old| matches!(old.key, Key::Hmac(_)));
        Self { private_key: None, ..self }
    }

    /// Replaces the current keys of the kinds in `new`; each replaced key stays valid until `now + grace` (not at all if that
    /// is zero). Drops old keys that have expired by `now`. A key that is current already is unchanged, so that a repeated
    /// rotation has no effect; an old key that returns becomes current.
    ///
    /// # Errors
    /// When more than [`MAX_OLD_KEYS`] old ones would be valid.
    pub fn rotated(
        mut self,
        new: impl IntoIterator<Item = Key>,
        now: Millis,
        grace: Duration,
    ) -> Result<Self, TooManyOldKeys> {
        self.old.retain(|old| old.valid_until > now);
        let valid_until = now + grace;
        for key in new {
            self.old.retain(|old| !old.key.is(&key));
            let replaced = self.replace(key);
            if valid_until > now {
                self.old.splice(0..0, replaced.map(|key| OldKey { key, valid_until }));
            }
        }
        if self.old.len() > MAX_OLD_KEYS { Err(TooManyOldKeys) } else { Ok(self) }
    }

    /// Returns the value of `webhook-signature` for a send at `at`, whose seconds are the `webhook-timestamp`: current keys
    /// first, the secret before the ed25519 key, then the old keys that are valid at that time. Signs `id.timestamp.body`.
    #[must_use]
    pub fn sign(&self, id: &str, at: Millis, body: &[u8]) -> String {
        let mut signatures = Signatures::new(id, at.seconds(), body);
        signatures.add_v1(&self.secret);
        self.private_key.iter().for_each(|key| signatures.add_v1a(key));
        for old in self.old.iter().filter(|old| at < old.valid_until) {
            match &old.key {
                Key::Hmac(secret) => signatures.add_v1(secret),
                Key::Ed25519(key) => signatures.add_v1a(key),
            }
        }
        signatures.into_text()
    }

    /// Makes `key` current and returns the previous key of its kind, if it differs.
    fn replace(&mut self, key: Key) -> Option<Key> {
        let replaced = match key.clone() {
            Key::Hmac(secret) => Some(Key::Hmac(std::mem::replace(&mut self.secret, secret))),
            Key::Ed25519(private) => self.private_key.replace(private).map(Key::Ed25519),
        };
        replaced.filter(|replaced| !replaced.is(&key))
    }
}

impl From<SigningSecret> for SigningKeys {
    fn from(secret: SigningSecret) -> Self {
        Self::new(secret)
    }
}

impl Key {
    /// Whether it is the same key as `other`.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hmac(one), Self::Hmac(other)) => one.expose() == other.expose(),
            (Self::Ed25519(one), Self::Ed25519(other)) => one.public() == other.public(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
