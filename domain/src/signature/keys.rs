//! All that an endpoint signs with: its current keys, and old ones that receivers may still hold.
//! Knows no clock: whether an old key still signs is decided at each send, by the time of that send.

mod text;

use std::{fmt, str::FromStr, time::Duration};

use super::{PrivateKey, PublicKey, SigningSecret, write::Signatures};
use crate::{clock::Millis, words::words};

pub use text::KeysError;

/// Most old keys at a time.
pub const MAX_OLD_KEYS: usize = 10;
/// How long an old key goes on signing, unless the rotation says otherwise.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(24 * 3_600);
/// Longest that an old key may go on signing.
pub const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 3_600);

words! {
    /// Which signatures an endpoint gets.
    Signing {
        /// `v1` alone, by the secret that both sides know.
        Hmac = "hmac",
        /// `v1` and `v1a`: receivers may check with the public key, which signs nothing.
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

/// A key that was replaced, and signs beside its successor while a send is earlier than this time.
#[derive(Clone, Debug)]
struct OldKey {
    key: Key,
    valid_until: Millis,
}

/// The keys of one endpoint: always a secret, an ed25519 key where it has one, and at most [`MAX_OLD_KEYS`] old ones.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    secret: SigningSecret,
    private_key: Option<PrivateKey>,
    /// The newest first.
    old: Vec<OldKey>,
}

/// A rotation would leave more old keys than are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "at most {MAX_OLD_KEYS} old keys may be valid at a time: wait for one to expire, or rotate without grace"
)]
pub struct TooManyOldKeys;

impl SigningKeys {
    /// The keys of an endpoint that signs with `secret` alone.
    #[must_use]
    pub const fn new(secret: SigningSecret) -> Self {
        Self { secret, private_key: None, old: Vec::new() }
    }

    /// The current secret.
    #[must_use]
    pub const fn secret(&self) -> &SigningSecret {
        &self.secret
    }

    /// Which signatures these keys make.
    #[must_use]
    pub const fn signing(&self) -> Signing {
        if self.private_key.is_some() { Signing::Ed25519 } else { Signing::Hmac }
    }

    /// These keys as they make such signatures: with a fresh ed25519 key where there is none yet, or without any.
    #[must_use]
    pub fn with_signing(self, signing: Signing) -> Self {
        match signing {
            Signing::Hmac => self.without_ed25519(),
            Signing::Ed25519 if self.private_key.is_some() => self,
            Signing::Ed25519 => self.with_ed25519(PrivateKey::generate()),
        }
    }

    /// The public half of the current ed25519 key; none: the endpoint signs with secrets alone.
    #[must_use]
    pub fn public_key(&self) -> Option<PublicKey> {
        self.private_key.as_ref().map(PrivateKey::public)
    }

    /// These keys with an ed25519 key. One that is there already is replaced and signs no more; to give it grace, use
    /// [`SigningKeys::rotated`].
    #[must_use]
    pub fn with_ed25519(self, key: PrivateKey) -> Self {
        Self { private_key: Some(key), ..self }
    }

    /// These keys without any ed25519 key, old ones included: from now on every signature is `v1`.
    #[must_use]
    pub fn without_ed25519(mut self) -> Self {
        self.old.retain(|old| matches!(old.key, Key::Hmac(_)));
        Self { private_key: None, ..self }
    }

    /// These keys after `new` took the place of the current keys of its kinds, each of which stays valid until `now +
    /// grace` (not at all when that is zero). Old keys that have expired by `now` are dropped. A key that is current
    /// already stays as it is, so that a repeated rotation changes nothing; an old one that comes back is old no more.
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

    /// The value of `webhook-signature` for a send at `at`, whose seconds are the `webhook-timestamp`: current keys
    /// first, the secret before the ed25519 key, then the old keys that are valid at that time. What is signed is
    /// `id.timestamp.body`.
    #[must_use]
    pub fn sign(&self, id: &str, at: Millis, body: &[u8]) -> String {
        let mut signatures = Signatures::of(id, at.seconds(), body);
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

    /// Puts `key` in its place and gives the one that was there, if it is another.
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
