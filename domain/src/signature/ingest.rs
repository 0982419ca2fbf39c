//! The signature of signed ingest: lowercase hex HMAC-SHA256 of the raw body.
//! Verified before the body is parsed.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Characters of a signature: 32 bytes in hex.
const HEX_LENGTH: usize = 64;

/// The secret of signed ingest as a prepared key. Never printed.
#[derive(Clone)]
pub struct IngestKey(Hmac<Sha256>);

/// The 32 bytes of a signature header, not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngestSignature([u8; HEX_LENGTH / 2]);

impl IngestKey {
    /// Creates a key from a secret of any length.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    /// Signs a body; returns the value of `X-Signature`.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    /// Verifies the signature of a body in constant time.
    #[must_use]
    pub fn fits(&self, signature: &IngestSignature, body: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_slice(&signature.0).is_ok()
    }
}

impl fmt::Debug for IngestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IngestKey(…)")
    }
}

impl IngestSignature {
    /// Parses the value of `X-Signature`: exactly 64 lowercase hex digits.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        let lowercase = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        let mut bytes = [0; HEX_LENGTH / 2];
        let is_fit = header.len() == HEX_LENGTH && header.iter().all(lowercase);
        (is_fit && hex::decode_to_slice(header, &mut bytes).is_ok()).then_some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const TAG: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const BODY: &[u8] = b"what do ya want for nothing?";

    fn fits(secret: &[u8], body: &[u8]) -> bool {
        let signature = IngestSignature::parse(TAG.as_bytes()).expect("a signature");
        IngestKey::new(secret).fits(&signature, body)
    }

    #[test]
    fn a_sender_writes_the_published_vector() {
        assert_eq!(IngestKey::new(b"Jefe").sign(BODY), TAG);
    }

    #[test]
    fn the_published_vector_is_met() {
        assert!(fits(b"Jefe", BODY));
        assert!(!fits(b"Jefe", b"what do ya want for nothing!"));
        assert!(!fits(b"Jefe", b""));
        assert!(!fits(b"jefe", BODY));
    }

    #[test]
    fn a_key_checks_any_number_of_bodies() {
        let (key, signature) = (IngestKey::new(b"Jefe"), IngestSignature::parse(TAG.as_bytes()));
        let signature = signature.expect("a signature");
        assert!(!key.fits(&signature, b"another"));
        assert!(key.fits(&signature, BODY) && key.fits(&signature, BODY));
        assert_eq!(format!("{key:?}"), "IngestKey(…)");
    }

    #[test]
    fn only_64_lowercase_hex_digits_are_a_signature() {
        let parse = |text: &str| IngestSignature::parse(text.as_bytes());
        assert!(parse(TAG).is_some());
        for bad in [
            String::new(),
            TAG[..63].to_owned(),
            format!("{TAG}0"),
            TAG.to_uppercase(),
            TAG.replacen('5', "g", 1),
            format!(" {}", &TAG[1..]),
            format!("sha256={}", &TAG[7..]),
        ] {
            assert_eq!(parse(&bad), None, "{bad:?}");
        }
    }
}
