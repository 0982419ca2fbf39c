//! The ed25519 keys of Standard Webhooks: `whsk_`, the private key that signs, and `whpk_`, the public key for receivers.
//! The private key is zeroized on drop and appears in no `Debug`, error or log.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    PUBLIC_KEY_LENGTH, SECRET_KEY_LENGTH, Signature, SigningKey, VerifyingKey,
    ed25519::signature::MultipartSigner as _,
};
use zeroize::Zeroizing;

/// The prefix of private keys.
pub const PRIVATE_KEY_PREFIX: &str = "whsk_";
/// The prefix of public keys.
pub const PUBLIC_KEY_PREFIX: &str = "whpk_";
/// Bytes of the longer form of a private key: the seed and the public key.
const KEYPAIR_BYTES: usize = SECRET_KEY_LENGTH + PUBLIC_KEY_LENGTH;
/// Length of the longest key in base64; longer text is rejected before it is decoded.
const MAX_ENCODED: usize = KEYPAIR_BYTES.div_ceil(3) * 4;

/// An ed25519 private key (RFC 8032), ready to sign.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

/// An ed25519 public key, not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is not an ed25519 key. Never contains any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ed25519Error {
    /// Does not begin with its prefix.
    #[error("must begin with {0}")]
    NoPrefix(&'static str),
    /// The rest is not base64.
    #[error("must be its prefix followed by standard base64 with padding")]
    NotBase64,
    /// A private key of neither form, or a public key that is not 32 bytes.
    #[error("must be {0} bytes before base64")]
    WrongLength(&'static str),
    /// A private key of 64 bytes whose second half is not its public key.
    #[error("the second half must be the public key of the first")]
    Mismatch,
    /// 32 bytes that are not a point on the curve, or a point of small order.
    #[error("must be a point on the curve, of large order")]
    NotAPoint,
}

impl PrivateKey {
    /// Generates a random key.
    #[must_use]
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0_u8; SECRET_KEY_LENGTH]);
        rand::fill(&mut seed[..]);
        Self(SigningKey::from_bytes(&seed))
    }

    /// Returns the public key, which receivers verify with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Returns the text, `whsk_` and the base64 of the 32-byte seed: for encryption at rest only.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PRIVATE_KEY_PREFIX.len() + MAX_ENCODED));
        text.push_str(PRIVATE_KEY_PREFIX);
        STANDARD.encode_string(self.0.as_bytes(), &mut text);
        text
    }

    /// Signs the concatenated parts.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> [u8; 64] {
        self.0.multipart_sign(parts).to_bytes()
    }
}

impl FromStr for PrivateKey {
    type Err = Ed25519Error;

    /// Parses both forms: the 32-byte seed, and the seed followed by the public key.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LENGTHS: &str = "32 or 64";
        let bytes = decode(text, PRIVATE_KEY_PREFIX, LENGTHS)?;
        match bytes.len() {
            SECRET_KEY_LENGTH => {
                let seed = bytes.first_chunk().expect("its length was looked at");
                Ok(Self(SigningKey::from_bytes(seed)))
            }
            KEYPAIR_BYTES => {
                let pair = bytes.first_chunk().expect("its length was looked at");
                SigningKey::from_keypair_bytes(pair).map(Self).map_err(|_| Ed25519Error::Mismatch)
            }
            _ => Err(Ed25519Error::WrongLength(LENGTHS)),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

impl PublicKey {
    /// Verifies `signature` of `message` strictly: rejects signatures that may also be valid for another message.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = Ed25519Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LENGTH: &str = "32";
        let bytes = decode(text, PUBLIC_KEY_PREFIX, LENGTH)?;
        let bytes = bytes.as_slice().try_into().map_err(|_| Ed25519Error::WrongLength(LENGTH))?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Ed25519Error::NotAPoint)?;
        if key.is_weak() { Err(Ed25519Error::NotAPoint) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    /// Writes `whpk_` and the base64 of the 32 bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_KEY_PREFIX}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

fn decode(
    text: &str,
    prefix: &'static str,
    lengths: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Ed25519Error> {
    let encoded = text.strip_prefix(prefix).ok_or(Ed25519Error::NoPrefix(prefix))?;
    if encoded.len() > MAX_ENCODED {
        return Err(Ed25519Error::WrongLength(lengths));
    }
    STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| Ed25519Error::NotBase64)
}

#[cfg(test)]
mod tests;
