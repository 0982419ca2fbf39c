//! The browser's side of RFC 8291: its keys, and decryption.
//! Written from the RFCs independently of the sender, so that a mistake does not cancel out.

use aes_gcm::{Aes128Gcm, KeyInit as _, aead::Aead as _};
use anyhow::{Context as _, anyhow, ensure};
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    elliptic_curve::{Generate as _, sec1::ToSec1Point as _},
};
use sha2::Sha256;

/// Largest body that a push service accepts; most reject one more byte with 413.
const MAX_BODY_BYTES: usize = 4_096;
const SALT_BYTES: usize = 16;
/// Salt, record size, length of the key.
const FIXED_BYTES: usize = SALT_BYTES + 4 + 1;

/// Keys of one subscription.
pub struct Browser {
    private: SecretKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Browser {
    pub(super) fn new() -> Self {
        Self::with(SecretKey::generate_from_rng(&mut rand::rng()), rand::random())
    }

    fn with(private: SecretKey, auth: [u8; 16]) -> Self {
        let public = private.public_key().to_sec1_point(false).as_bytes().to_vec();
        Self { private, public, auth }
    }

    /// Returns the public key, 65 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Returns the authentication secret, 16 bytes.
    #[must_use]
    pub fn auth(&self) -> &[u8] {
        &self.auth
    }

    /// Decrypts a body.
    ///
    /// # Errors
    /// When it is not a single record encrypted for this browser.
    pub fn decrypt(&self, body: &[u8]) -> anyhow::Result<Vec<u8>> {
        ensure!(body.len() <= MAX_BODY_BYTES, "a body of {} bytes", body.len());
        let (fixed, rest) = body.split_first_chunk::<FIXED_BYTES>().context("no header")?;
        let (salt, sizes) = fixed.split_at(SALT_BYTES);
        let record_size = u32::from_be_bytes(*sizes.first_chunk().context("no record size")?);
        let (sender, record) = rest.split_at_checked(usize::from(sizes[4])).context("no key")?;
        ensure!(record.len() <= usize::try_from(record_size)?, "more than one record");
        let ikm = self.input_key(sender)?;
        let opened = open(&ikm, salt, record)?;
        // Zeros may follow the mark of the last record.
        let end = opened.iter().rposition(|byte| *byte != 0).context("no delimiter")?;
        ensure!(opened[end] == 2, "not the last record");
        Ok(opened[..end].to_vec())
    }

    fn input_key(&self, sender: &[u8]) -> anyhow::Result<[u8; 32]> {
        ensure!(sender.len() == 65, "a key of {} bytes", sender.len());
        let sender_key = PublicKey::from_sec1_bytes(sender).map_err(|_| anyhow!("not a point"))?;
        let shared = self.private.diffie_hellman(&sender_key);
        let info = [b"WebPush: info\0", self.public.as_slice(), sender].concat();
        expand(&self.auth, shared.raw_secret_bytes(), &info)
    }
}

fn open(ikm: &[u8], salt: &[u8], record: &[u8]) -> anyhow::Result<Vec<u8>> {
    let key: [u8; 16] = expand(salt, ikm, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = expand(salt, ikm, b"Content-Encoding: nonce\0")?;
    Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), record).map_err(|_| anyhow!("does not decrypt"))
}

fn expand<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> anyhow::Result<[u8; N]> {
    let mut okm = [0; N];
    let derived = Hkdf::<Sha256>::new(Some(salt), ikm);
    derived.expand(info, &mut okm).map_err(|_| anyhow!("too long"))?;
    Ok(okm)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const MESSAGE: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).expect(text)
    }

    #[test]
    fn the_example_of_rfc_8291_is_read_and_no_byte_of_it_may_change() {
        let private = decoded("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
        let auth = decoded("BTBZMqHH6r4Tts7J_aSIgg").try_into().expect("16 bytes");
        let browser = Browser::with(SecretKey::from_slice(&private).expect("a key"), auth);
        let message = decoded(MESSAGE);
        let read = browser.decrypt(&message).expect("decrypts");
        assert_eq!(read, b"When I grow up, I want to be a watermelon");
        // Of the record size only its upper bound counts.
        for at in (0..message.len()).filter(|at| !(SALT_BYTES..SALT_BYTES + 4).contains(at)) {
            let mut changed = message.clone();
            changed[at] ^= 1;
            assert!(browser.decrypt(&changed).is_err(), "{at}");
        }
        assert!(Browser::new().decrypt(&message).is_err(), "another browser's");
    }
}
