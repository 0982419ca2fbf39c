//! A signing secret: text in requests and responses, a prepared HMAC key inside.
//! The text is zeroized on drop and appears in no `Debug`, error or log.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The prefix of signing secrets.
pub const SECRET_PREFIX: &str = "whsec_";
/// Shortest secret, in decoded bytes.
pub const MIN_SECRET_BYTES: usize = 24;
/// Longest secret, in decoded bytes.
pub const MAX_SECRET_BYTES: usize = 64;
/// Bytes of generated secrets.
const GENERATED_BYTES: usize = 32;
/// Length of the longest secret; longer text is rejected before it is decoded.
const MAX_TEXT: usize = SECRET_PREFIX.len() + MAX_SECRET_BYTES.div_ceil(3) * 4;

/// A Standard Webhooks signing secret with its HMAC key set up once, so that signing many bodies costs only the bodies.
#[derive(Clone)]
pub struct SigningSecret {
    text: Zeroizing<String>,
    key: Hmac<Sha256>,
}

/// Why a text is not a signing secret. Never contains any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Does not begin with `whsec_`.
    #[error("must begin with whsec_")]
    NoPrefix,
    /// The rest is not base64.
    #[error("must be whsec_ followed by standard base64 with padding")]
    NotBase64,
    /// Fewer than 24 or more than 64 bytes.
    #[error("must be {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes before base64")]
    WrongLength,
}

impl SigningSecret {
    /// Generates a random secret of 32 bytes.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0_u8; GENERATED_BYTES]);
        rand::fill(&mut bytes[..]);
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        text.push_str(SECRET_PREFIX);
        STANDARD.encode_string(&bytes[..], &mut text);
        Self { text, key: prepare(&bytes[..]) }
    }

    /// Returns the text, `whsec_…`: only for its owner and for encryption at rest.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Computes HMAC-SHA256 of the concatenated parts.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac_of(parts).finalize().into_bytes().into()
    }

    /// Verifies the HMAC-SHA256 of the concatenated parts in constant time.
    pub(super) fn has_tag(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac_of(parts).verify_slice(tag).is_ok()
    }

    fn mac_of(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac
    }
}

impl FromStr for SigningSecret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SecretError::NoPrefix)?;
        if text.len() > MAX_TEXT {
            return Err(SecretError::WrongLength);
        }
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| SecretError::NotBase64)?);
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&bytes.len()) {
            return Err(SecretError::WrongLength);
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), key: prepare(&bytes) })
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

fn prepare(bytes: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(count: usize) -> Result<SigningSecret, SecretError> {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(vec![7_u8; count])).parse()
    }

    #[test]
    fn a_secret_is_24_to_64_bytes() {
        assert_eq!(of_bytes(23).err(), Some(SecretError::WrongLength));
        assert!(of_bytes(24).is_ok());
        assert!(of_bytes(64).is_ok());
        assert_eq!(of_bytes(65).err(), Some(SecretError::WrongLength));
        assert_eq!(of_bytes(100_000).err(), Some(SecretError::WrongLength));
    }

    #[test]
    fn bad_text_is_refused_with_its_rule_and_without_its_content() {
        let refused = |text: &str| text.parse::<SigningSecret>().expect_err("refused");
        assert_eq!(refused(""), SecretError::NoPrefix);
        assert_eq!(refused("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), SecretError::NoPrefix);
        assert_eq!(refused("whsec_MfKQ9r8G*YqrTwjUPD8ILPZIo2LaLaSw"), SecretError::NotBase64);
        assert_eq!(refused("whsec_"), SecretError::WrongLength);
        assert_eq!(SecretError::WrongLength.to_string(), "must be 24 to 64 bytes before base64");
    }

    #[test]
    fn what_is_generated_is_read_back_and_never_repeats() {
        let secret = SigningSecret::generate();
        let again: SigningSecret = secret.expose().parse().expect("our own text");
        assert_eq!(again.tag(&[b"body"]), secret.tag(&[b"body"]));
        assert_ne!(secret.expose(), SigningSecret::generate().expose());
        assert_eq!(secret.expose().len(), SECRET_PREFIX.len() + 44);
    }

    #[test]
    fn debug_prints_nothing_of_it() {
        let secret = SigningSecret::generate();
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
    }
}
