//! The signature of signed ingest: lowercase hex HMAC-SHA256 of the raw body.
//! Checked before anything of the body is parsed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Characters of a signature: 32 bytes in hex.
const HEX_LENGTH: usize = 64;

/// Whether `header` (the value of `X-Signature`) is the lowercase hex HMAC-SHA256 of `body` under `secret`.
///
/// Another length, an upper-case digit or anything that is not hex is no match. Constant time in the signature's bytes.
#[must_use]
pub fn ingest_signature_matches(secret: &[u8], body: &[u8], header: &[u8]) -> bool {
    let lowercase = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if header.len() != HEX_LENGTH || !header.iter().all(lowercase) {
        return false;
    }
    let mut given = [0_u8; HEX_LENGTH / 2];
    if hex::decode_to_slice(header, &mut given).is_err() {
        return false;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const TAG: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn matches(header: &str) -> bool {
        ingest_signature_matches(b"Jefe", b"what do ya want for nothing?", header.as_bytes())
    }

    #[test]
    fn the_published_vector_is_met() {
        assert!(matches(TAG));
        assert!(!ingest_signature_matches(b"Jefe", b"what do ya want for nothing!", TAG.as_bytes()));
        assert!(!ingest_signature_matches(b"jefe", b"what do ya want for nothing?", TAG.as_bytes()));
    }

    #[test]
    fn only_64_lowercase_hex_digits_can_match() {
        assert!(!matches(""));
        assert!(!matches(&TAG[..63]));
        assert!(!matches(&format!("{TAG}0")));
        assert!(!matches(&TAG.to_uppercase()));
        assert!(!matches(&TAG.replacen('5', "g", 1)));
        assert!(!matches(&format!(" {}", &TAG[1..])));
        assert!(!matches(&format!("sha256={}", &TAG[7..])));
    }
}
