//! The keys derived from `SECRET_KEY`: one encrypts secrets at rest, one signs links, one signs dashboard sessions.
//! Never shows, logs or returns the secret itself.

use std::fmt;

use chacha20poly1305::{
    ChaCha20Poly1305, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// First byte of sealed data: the format version.
const VERSION: u8 = 1;
/// Length of the nonce that follows the version.
const NONCE_LENGTH: usize = 12;

/// The derived keys. Cheap to clone; `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Keys {
    sealing: ChaCha20Poly1305,
    link: Zeroizing<[u8; 32]>,
    session: Zeroizing<[u8; 32]>,
}

/// Why sealed data cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Sealed in a format that this version does not know.
    #[error("sealed in the unknown format {0}")]
    UnknownVersion(u8),
    /// Too short, modified, from another context, or sealed with another `SECRET_KEY`.
    #[error("cannot be opened: changed, or sealed with another SECRET_KEY")]
    CannotOpen,
}

impl Keys {
    /// Derives all keys with HKDF-SHA256, one label each.
    #[must_use]
    pub fn new(secret_key: &[u8; 32]) -> Self {
        let root = Hkdf::<Sha256>::new(None, secret_key);
        let derive = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            root.expand(label, key.as_mut_slice()).expect("32 bytes are within HKDF's limit");
            key
        };
        Self {
            sealing: ChaCha20Poly1305::new((&*derive(b"hookyard/seal/v1")).into()),
            link: derive(b"hookyard/link/v1"),
            session: derive(b"hookyard/session/v1"),
        }
    }

    /// Encrypts `plain` bound to `context`. Returns version, random nonce and ciphertext with tag.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload { msg: plain, aad: context };
        let sealed =
            self.sealing.encrypt(&Nonce::from(nonce), payload).expect("a secret is far below 256 GiB");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts the output of [`Keys::seal`] for the same `context`.
    ///
    /// # Errors
    /// When the format is unknown, or the bytes, the context or the secret key are not those of the sealing.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (version, rest) = sealed.split_first().ok_or(KeyError::CannotOpen)?;
        if *version != VERSION {
            return Err(KeyError::UnknownVersion(*version));
        }
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(KeyError::CannotOpen)?;
        let payload = Payload { msg: ciphertext, aad: context };
        self.sealing.decrypt(&Nonce::from(*nonce), payload).map_err(|_| KeyError::CannotOpen)
    }

    /// Signs the text of a link; returns HMAC-SHA256 in lowercase hex.
    #[must_use]
    pub fn link_signature(&self, text: &str) -> String {
        hex::encode(self.link_mac(text).finalize().into_bytes())
    }

    /// Whether `signature` is valid for `text`; compares in constant time.
    #[must_use]
    pub fn verify_link(&self, text: &str, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|bytes| self.link_mac(text).verify_slice(&bytes).is_ok())
    }

    /// Returns the key that signs dashboard sessions.
    #[must_use]
    pub fn session_key(&self) -> [u8; 32] {
        *self.session
    }

    fn link_mac(&self, text: &str) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.link.as_slice());
        mac.expect("HMAC takes keys of any length").chain_update(text)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::new(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_again_under_the_same_key() {
        for plain in [b"".as_slice(), b"whsec_secret", &[0; 100_000]] {
            let sealed = keys(1).seal(b"endpoint-secret:1", plain);
            assert_eq!(keys(1).open(b"endpoint-secret:1", &sealed).as_deref(), Ok(plain));
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_to_the_same_bytes() {
        assert_ne!(keys(1).seal(b"c", b"same"), keys(1).seal(b"c", b"same"));
    }

    #[test]
    fn another_context_or_key_is_refused() {
        let sealed = keys(1).seal(b"endpoint-secret:1", b"plain");
        assert_eq!(keys(1).open(b"endpoint-secret:2", &sealed), Err(KeyError::CannotOpen));
        assert_eq!(keys(2).open(b"endpoint-secret:1", &sealed), Err(KeyError::CannotOpen));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let sealed = keys(1).seal(b"c", b"plain");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys(1).open(b"c", &changed).is_err(), "byte {at}");
            assert_eq!(keys(1).open(b"c", &sealed[..at]), Err(KeyError::CannotOpen), "cut at {at}");
        }
        assert_eq!(keys(1).open(b"c", &[9, 1, 2]), Err(KeyError::UnknownVersion(9)));
    }

    #[test]
    fn a_link_is_verified_by_its_text_and_key() {
        let signature = keys(1).link_signature("id.123");
        assert_eq!(signature.len(), 64);
        assert_eq!(signature, signature.to_lowercase());
        assert!(keys(1).verify_link("id.123", &signature));
        assert!(!keys(1).verify_link("id.124", &signature));
        assert!(!keys(2).verify_link("id.123", &signature));
        for bad in ["", "zz", "é", &signature[..62], &format!("{signature}00")] {
            assert!(!keys(1).verify_link("id.123", bad), "{bad}");
        }
    }

    #[test]
    fn derived_keys_are_stable_and_differ_from_one_another() {
        assert_eq!(keys(1).session_key(), keys(1).session_key());
        assert_ne!(keys(1).session_key(), keys(2).session_key());
        assert_ne!(keys(1).session_key(), *keys(1).link);
        assert_eq!(format!("{:?}", keys(1)), "Keys(…)");
    }
}
