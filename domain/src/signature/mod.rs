//! Signatures: Standard Webhooks for deliveries, plain HMAC for signed ingest.
//! Every comparison is constant-time, and no secret is ever printed.

mod ed25519;
mod ingest;
mod keys;
mod secret;
mod verify;
mod write;

pub use ed25519::{Ed25519Error, PRIVATE_KEY_PREFIX, PUBLIC_KEY_PREFIX, PrivateKey, PublicKey};
pub use ingest::{IngestKey, IngestSignature};
pub use keys::{
    DEFAULT_GRACE, Key, KeysError, MAX_GRACE, MAX_OLD_KEYS, Signing, SigningKeys, TooManyOldKeys,
};
pub use secret::{MAX_SECRET_BYTES, MIN_SECRET_BYTES, SECRET_PREFIX, SecretError, SigningSecret};
pub use verify::{DEFAULT_TOLERANCE, MAX_SIGNATURES, SignedMessage, VerifyError};

/// Returns the value of `webhook-signature`: one `v1` signature per secret, in order, separated by spaces.
///
/// `id` is the `webhook-id`, `timestamp_seconds` the `webhook-timestamp`; signs `id.timestamp.body`.
/// [`SigningKeys::sign`] signs the deliveries of endpoints.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let mut signatures = write::Signatures::new(id, timestamp_seconds, body);
    secrets.iter().for_each(|secret| signatures.add_v1(secret));
    signatures.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret(text: &str) -> SigningSecret {
        text.parse().expect("a valid secret")
    }

    /// The vectors of the Standard Webhooks libraries.
    #[test]
    fn the_published_vectors_are_met() {
        let signed = sign(&[secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], ID, AT, BODY);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let (secret, id) =
            (secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = sign(&[secret], id, 1_649_367_553, body);
        assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn each_secret_signs_in_its_order() {
        let (old, new) = (SigningSecret::generate(), SigningSecret::generate());
        let both = sign(&[new.clone(), old.clone()], ID, AT, BODY);
        assert_eq!(both, format!("{} {}", sign(&[new], ID, AT, BODY), sign(&[old], ID, AT, BODY)));
        assert_eq!(sign(&[], ID, AT, BODY), "");
    }

    #[test]
    fn an_independent_library_accepts_what_we_sign() {
        let now = i64::try_from(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs(),
        )
        .expect("fits");
        let (old, new) = (SigningSecret::generate(), SigningSecret::generate());
        let mut headers = standardwebhooks_headers(now);
        let signed = sign(&[new.clone(), old.clone()], ID, now, BODY);
        headers.insert("webhook-signature", signed.parse().expect("a header value"));
        for secret in [&old, &new] {
            let verifier =
                standardwebhooks::Webhook::new(secret.expose()).expect("their parser takes our secret");
            verifier.verify(BODY, &headers).expect("their verifier takes our signature");
            assert!(verifier.verify(b"changed", &headers).is_err());
        }
    }

    fn standardwebhooks_headers(now: i64) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", http::HeaderValue::from_static(ID));
        headers.insert("webhook-timestamp", http::HeaderValue::from(now));
        headers
    }
}
