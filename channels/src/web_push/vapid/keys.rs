//! The VAPID key pair from the settings.
//! The halves are checked against each other, because every push service would reject a mismatched pair.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    elliptic_curve::{Generate as _, sec1::ToSec1Point as _},
};
use zeroize::Zeroizing;

/// Most bytes of a contact, which push services log.
pub const MAX_CONTACT_BYTES: usize = 320;
/// Most characters of a key in base64url: 65 bytes and some padding. Longer text is rejected before it is decoded.
const MAX_ENCODED: usize = 90;
const PRIVATE_BYTES: usize = 32;

/// The key pair that signs messages to push services, and the contact for their operators.
pub struct VapidKeys {
    signing: SigningKey,
    public: String,
    contact: String,
}

/// Why the settings are not a valid key pair. Never contains any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VapidError {
    /// The private half is not a scalar of P-256 in base64url.
    #[error("the private key must be 32 bytes of P-256 in base64url")]
    Private,
    /// The public half is not an uncompressed point in base64url.
    #[error("the public key must be an uncompressed P-256 point (65 bytes) in base64url")]
    Public,
    /// The public key does not belong to the private key.
    #[error("the public key does not belong to the private key")]
    Mismatch,
    /// Not a valid contact.
    #[error(
        "the contact must be an e-mail address, a mailto: or an https: URL of at most {MAX_CONTACT_BYTES} bytes"
    )]
    Contact,
}

impl VapidKeys {
    /// Creates the pair from both keys in base64url, with or without padding. `contact` is an e-mail address, a `mailto:` or
    /// an `https:` URL (RFC 8292 §2.1).
    ///
    /// # Errors
    /// When a key is malformed, the two do not belong together, or the contact is invalid.
    pub fn new(private_base64url: &str, public_base64url: &str, contact: &str) -> Result<Self, VapidError> {
        let private = decode(private_base64url).filter(|bytes| bytes.len() == PRIVATE_BYTES);
        let private = private.ok_or(VapidError::Private)?;
        let signing = SigningKey::from_slice(&private).map_err(|_| VapidError::Private)?;
        let public = encoded_public(&signing);
        let given = decode(public_base64url).and_then(|bytes| p256::PublicKey::from_sec1_bytes(&bytes).ok());
        let given = encode_point(&given.ok_or(VapidError::Public)?);
        if given != public {
            return Err(VapidError::Mismatch);
        }
        Ok(Self { signing, public, contact: contact_url(contact).ok_or(VapidError::Contact)? })
    }

    /// Generates a pair for the settings: private and public key in base64url without padding.
    #[must_use]
    pub fn generate() -> (String, String) {
        let key = SigningKey::from(random_key());
        (URL_SAFE_NO_PAD.encode(Zeroizing::new(<[u8; 32]>::from(key.to_bytes()))), encoded_public(&key))
    }

    /// Returns the public key in base64url without padding; browsers subscribe with it.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Returns the contact as a URL.
    pub(super) fn contact(&self) -> &str {
        &self.contact
    }

    /// Signs `text` with ES256; returns 64 bytes (RFC 7518 §3.4).
    pub(super) fn sign(&self, text: &str) -> [u8; 64] {
        let signature: Signature = self.signing.sign(text.as_bytes());
        signature.to_bytes().into()
    }
}

impl fmt::Debug for VapidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKeys").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Generates a private key with the thread's random number generator, seeded by the system.
pub(in crate::web_push) fn random_key() -> SecretKey {
    SecretKey::generate_from_rng(&mut rand::rng())
}

fn encoded_public(key: &SigningKey) -> String {
    encode_point(&key.verifying_key().into())
}

fn encode_point(key: &p256::PublicKey) -> String {
    URL_SAFE_NO_PAD.encode(key.to_sec1_point(false).as_bytes())
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim().trim_end_matches('=');
    (text.len() <= MAX_ENCODED).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten().map(Zeroizing::new)
}

/// Returns the contact as a URL.
fn contact_url(contact: &str) -> Option<String> {
    let contact = contact.trim();
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let address = |text: &str| text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host));
    let url = match (contact.strip_prefix("mailto:"), contact.strip_prefix("https://")) {
        (Some(mail), _) if address(mail) => contact.to_owned(),
        (_, Some(rest)) if plain(rest) => contact.to_owned(),
        (None, None) if address(contact) && !contact.contains("://") => format!("mailto:{contact}"),
        _ => return None,
    };
    (url.len() <= MAX_CONTACT_BYTES).then_some(url)
}

#[cfg(test)]
mod tests;
