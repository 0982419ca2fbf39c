//! Encrypts one message for one browser: `aes128gcm` (RFC 8188) with the keys of RFC 8291, in one record.
//! Each message gets a new salt and a new key pair: reuse would break the encryption.

use aes_gcm::{AeadInOut as _, Aes128Gcm, KeyInit as _};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, elliptic_curve::sec1::ToSec1Point as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    target::{AUTH_BYTES, KEY_BYTES, PushTarget},
    vapid::random_key,
};

/// Largest body that push services must accept (RFC 8030 §7.2).
pub const MAX_BODY_BYTES: usize = 4_096;
/// The record size that the header names; the one record is never larger (RFC 8291 §4).
const RECORD_BYTES: u32 = 4_096;
const SALT_BYTES: usize = 16;
/// Salt, record size, length of the key, key (RFC 8188 §2.1).
const HEADER_BYTES: usize = SALT_BYTES + 4 + 1 + KEY_BYTES;
/// The delimiter after the plaintext of the last record (RFC 8188 §2).
const LAST_RECORD: u8 = 2;
const TAG_BYTES: usize = 16;
/// Bytes that encryption adds.
pub(super) const OVERHEAD_BYTES: usize = HEADER_BYTES + 1 + TAG_BYTES;

/// Encrypts `plaintext` for `target`; the result is longer by [`OVERHEAD_BYTES`].
pub(super) fn encrypt(target: &PushTarget, plaintext: &[u8]) -> Vec<u8> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt);
    seal(target, plaintext, &random_key(), salt)
}

fn seal(target: &PushTarget, plaintext: &[u8], own: &SecretKey, salt: [u8; SALT_BYTES]) -> Vec<u8> {
    let own_public = uncompressed(&own.public_key());
    let ikm = input_key(target, own, &own_public);
    let (key, nonce) = content_keys(&ikm, &salt);
    let mut record = Vec::with_capacity(plaintext.len() + 1 + TAG_BYTES);
    record.extend_from_slice(plaintext);
    record.push(LAST_RECORD);
    let cipher = Aes128Gcm::new((&*key).into());
    cipher.encrypt_in_place(&nonce.into(), b"", &mut record).expect("far below what AES-GCM takes");
    [&header(salt, &own_public)[..], &record].concat()
}

fn header(salt: [u8; SALT_BYTES], own_public: &[u8; KEY_BYTES]) -> Vec<u8> {
    let key_length = [u8::try_from(KEY_BYTES).expect("65")];
    [&salt[..], &RECORD_BYTES.to_be_bytes(), &key_length, own_public].concat()
}

/// Derives the input keying material, bound to the browser's secret and to both keys (RFC 8291 §3.4).
fn input_key(target: &PushTarget, own: &SecretKey, own_public: &[u8; KEY_BYTES]) -> Zeroizing<[u8; 32]> {
    let shared = own.diffie_hellman(&target.key);
    let auth: &[u8; AUTH_BYTES] = &target.auth;
    let derived = Hkdf::<Sha256>::new(Some(auth), shared.raw_secret_bytes());
    let mut ikm = Zeroizing::new([0; 32]);
    let info: [&[u8]; 3] = [b"WebPush: info\0", &target.key_bytes, own_public];
    derived.expand_multi_info(&info, &mut *ikm).expect("32 bytes can be had");
    ikm
}

/// Derives the key and the nonce of the only record (RFC 8188 §2.2, §2.3).
fn content_keys(ikm: &[u8; 32], salt: &[u8; SALT_BYTES]) -> (Zeroizing<[u8; 16]>, [u8; 12]) {
    let derived = Hkdf::<Sha256>::new(Some(salt), ikm);
    let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; 12]);
    derived.expand(b"Content-Encoding: aes128gcm\0", &mut *key).expect("16 bytes can be had");
    derived.expand(b"Content-Encoding: nonce\0", &mut nonce).expect("12 bytes can be had");
    (key, nonce)
}

fn uncompressed(key: &PublicKey) -> [u8; KEY_BYTES] {
    key.to_sec1_point(false).as_bytes().try_into().expect("an uncompressed point has 65 bytes")
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    /// The example of RFC 8291 §5, with the values between of its appendix A.
    const PLAINTEXT: &str = "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24";
    const SENDER_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const SENDER_PUBLIC: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    const BROWSER_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const BROWSER_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const SHARED: &str = "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs";
    const IKM: &str = "S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg";
    const KEY: &str = "oIhVW04MRdy2XN9CiKLxTg";
    const NONCE: &str = "4h_95klXJ5E_qnoN";
    const HEADER: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
    const CIPHERTEXT: &str = "8pfeW0KbunFT06SuDKoJH9Ql87S1QUrdirN6GcG7sFz1y1sqLgVi1VhjVkHsUoEsbI_0LpXMuGvnzQ";

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).expect(text)
    }

    fn encoded(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn key(text: &str) -> SecretKey {
        SecretKey::from_slice(&decoded(text)).expect("a key")
    }

    fn target() -> PushTarget {
        PushTarget::new("https://push.example/x", &decoded(BROWSER_PUBLIC), &decoded(AUTH)).expect("valid")
    }

    fn salt() -> [u8; SALT_BYTES] {
        decoded(SALT).try_into().expect("16 bytes")
    }

    #[test]
    fn each_value_is_the_one_of_rfc_8291() {
        let (own, target) = (key(SENDER_PRIVATE), target());
        let public = uncompressed(&own.public_key());
        assert_eq!(encoded(public), SENDER_PUBLIC);
        assert_eq!(encoded(uncompressed(&key(BROWSER_PRIVATE).public_key())), BROWSER_PUBLIC);
        assert_eq!(encoded(own.diffie_hellman(&target.key).raw_secret_bytes()), SHARED);
        let ikm = input_key(&target, &own, &public);
        assert_eq!(encoded(*ikm), IKM);
        let (key, nonce) = content_keys(&ikm, &salt());
        assert_eq!((encoded(*key), encoded(nonce)), (KEY.to_owned(), NONCE.to_owned()));
        assert_eq!(encoded(header(salt(), &public)), HEADER);
    }

    #[test]
    fn the_body_is_the_one_of_rfc_8291() {
        let plaintext = decoded(PLAINTEXT);
        assert_eq!(plaintext, b"When I grow up, I want to be a watermelon");
        let body = seal(&target(), &plaintext, &key(SENDER_PRIVATE), salt());
        assert_eq!(encoded(&body), encoded([decoded(HEADER), decoded(CIPHERTEXT)].concat()));
        assert_eq!(body.len(), plaintext.len() + OVERHEAD_BYTES);
    }

    #[test]
    fn no_two_messages_share_a_salt_or_a_key() {
        let (first, second) = (encrypt(&target(), b"x"), encrypt(&target(), b"x"));
        assert_ne!(first[..SALT_BYTES], second[..SALT_BYTES]);
        assert_ne!(
            first[HEADER_BYTES - KEY_BYTES..HEADER_BYTES],
            second[HEADER_BYTES - KEY_BYTES..HEADER_BYTES]
        );
        assert_ne!(first[HEADER_BYTES..], second[HEADER_BYTES..]);
    }

    #[test]
    fn the_overhead_is_103_bytes() {
        assert_eq!((HEADER_BYTES, OVERHEAD_BYTES), (86, 103));
    }
}
