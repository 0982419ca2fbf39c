//! The receiving side of Standard Webhooks, as `hookyard listen` and receivers in tests use it.
//! Reads no clock: the caller passes the time.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    PublicKey, SigningSecret,
    write::{V1, V1A},
};

/// Default tolerance of a timestamp, in either direction.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// Most signatures of one message that are checked: more than we ever send (two, and ten of old keys).
pub const MAX_SIGNATURES: usize = 16;

/// A received message: the three headers as text, and the raw body.
#[derive(Clone, Copy, Debug)]
pub struct SignedMessage<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, as sent.
    pub timestamp: &'a str,
    /// `webhook-signature`, as sent: signatures separated by spaces.
    pub signature: &'a str,
    /// The raw body.
    pub body: &'a [u8],
}

/// Why a message is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// `webhook-timestamp` is not a number of seconds.
    #[error("webhook-timestamp is not a number of seconds")]
    BadTimestamp,
    /// Signed too long ago: may be a replay attack.
    #[error("webhook-timestamp is too old")]
    TooOld,
    /// Signed in the future.
    #[error("webhook-timestamp is in the future")]
    TooNew,
    /// No signature matches the key.
    #[error("no signature matches")]
    NoMatch,
}

impl SignedMessage<'_> {
    /// Verifies that one of the `v1` signatures was made with `secret`, within `tolerance` of `now_seconds`.
    ///
    /// # Errors
    /// Names the failed check. Signatures of other versions are skipped, as the specification requires.
    pub fn verify(
        &self,
        secret: &SigningSecret,
        now_seconds: i64,
        tolerance: Duration,
    ) -> Result<(), VerifyError> {
        self.check_time(now_seconds, tolerance)?;
        let parts = self.parts();
        self.signatures(V1).any(|tag| secret.has_tag(&parts, &tag)).then_some(()).ok_or(VerifyError::NoMatch)
    }

    /// Verifies that one of the `v1a` signatures was made with the private key of `key`.
    ///
    /// # Errors
    /// Names the failed check.
    pub fn verify_with_public_key(
        &self,
        key: &PublicKey,
        now_seconds: i64,
        tolerance: Duration,
    ) -> Result<(), VerifyError> {
        self.check_time(now_seconds, tolerance)?;
        let message = self.parts().concat();
        let mut signatures = self.signatures(V1A);
        signatures.any(|one| key.has_signed(&message, &one)).then_some(()).ok_or(VerifyError::NoMatch)
    }

    fn check_time(&self, now_seconds: i64, tolerance: Duration) -> Result<(), VerifyError> {
        let sent: i64 = self.timestamp.parse().map_err(|_| VerifyError::BadTimestamp)?;
        let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
        if now_seconds.saturating_sub(sent) > tolerance {
            return Err(VerifyError::TooOld);
        }
        if sent.saturating_sub(now_seconds) > tolerance {
            return Err(VerifyError::TooNew);
        }
        Ok(())
    }

    const fn parts(&self) -> [&[u8]; 5] {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body]
    }

    fn signatures(&self, version: &str) -> impl Iterator<Item = Vec<u8>> {
        let candidates = self.signature.split(' ').take(MAX_SIGNATURES);
        candidates.filter_map(move |one| STANDARD.decode(one.strip_prefix(version)?).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{PrivateKey, SigningKeys, sign},
        *,
    };
    use crate::clock::Millis;

    const NOW: i64 = 1_700_000_000;

    fn check(secret: &SigningSecret, signature: &str, sent: i64, body: &[u8]) -> Result<(), VerifyError> {
        let timestamp = sent.to_string();
        let message = SignedMessage { id: "evt", timestamp: &timestamp, signature, body };
        message.verify(secret, NOW, DEFAULT_TOLERANCE)
    }

    #[test]
    fn either_secret_of_a_rotation_verifies() {
        let (old, new, foreign) =
            (SigningSecret::generate(), SigningSecret::generate(), SigningSecret::generate());
        let signature = sign(&[new.clone(), old.clone()], "evt", NOW, b"{}");
        assert_eq!(check(&new, &signature, NOW, b"{}"), Ok(()));
        assert_eq!(check(&old, &signature, NOW, b"{}"), Ok(()));
        assert_eq!(check(&foreign, &signature, NOW, b"{}"), Err(VerifyError::NoMatch));
        assert_eq!(check(&new, &signature, NOW, b"{} "), Err(VerifyError::NoMatch));
        assert_eq!(check(&new, &signature, NOW + 1, b"{}"), Err(VerifyError::NoMatch));
    }

    #[test]
    fn a_timestamp_holds_up_to_the_tolerance_either_way() {
        let secret = SigningSecret::generate();
        let at = |sent| check(&secret, &sign(std::slice::from_ref(&secret), "evt", sent, b""), sent, b"");
        assert_eq!(at(NOW - 300), Ok(()));
        assert_eq!(at(NOW - 301), Err(VerifyError::TooOld));
        assert_eq!(at(NOW + 300), Ok(()));
        assert_eq!(at(NOW + 301), Err(VerifyError::TooNew));
        assert_eq!(at(i64::MIN), Err(VerifyError::TooOld));
    }

    #[test]
    fn a_public_key_verifies_what_its_private_half_signed() {
        let (key, foreign) = (PrivateKey::generate(), PrivateKey::generate());
        let keys = SigningKeys::new(SigningSecret::generate()).with_ed25519(key.clone());
        let signature = keys.sign("evt", Millis(NOW * 1_000), b"{}");
        let check = |key: &PrivateKey, sent: i64, body: &[u8]| {
            let timestamp = sent.to_string();
            let message = SignedMessage { id: "evt", timestamp: &timestamp, signature: &signature, body };
            message.verify_with_public_key(&key.public(), NOW, DEFAULT_TOLERANCE)
        };
        assert_eq!(check(&key, NOW, b"{}"), Ok(()));
        assert_eq!(check(&key, NOW, b"{} "), Err(VerifyError::NoMatch));
        assert_eq!(check(&key, NOW + 1, b"{}"), Err(VerifyError::NoMatch));
        assert_eq!(check(&key, NOW + 301, b"{}"), Err(VerifyError::TooNew));
        assert_eq!(check(&foreign, NOW, b"{}"), Err(VerifyError::NoMatch));
    }

    #[test]
    fn what_is_not_a_signature_is_passed_over() {
        let secret = SigningSecret::generate();
        let good = sign(std::slice::from_ref(&secret), "evt", NOW, b"");
        let with = |prefix: &str| check(&secret, &format!("{prefix}{good}"), NOW, b"");
        assert_eq!(with("v1a,abc v1,*** v2 , "), Ok(()));
        assert_eq!(with(&"v1,AAAA ".repeat(MAX_SIGNATURES - 1)), Ok(()));
        assert_eq!(with(&"v1,AAAA ".repeat(MAX_SIGNATURES)), Err(VerifyError::NoMatch));
        assert_eq!(check(&secret, "", NOW, b""), Err(VerifyError::NoMatch));
        let message = SignedMessage { id: "evt", timestamp: "soon", signature: &good, body: b"" };
        assert_eq!(message.verify(&secret, NOW, DEFAULT_TOLERANCE), Err(VerifyError::BadTimestamp));
    }
}
