//! Signatures: Standard Webhooks on what we send, plain HMAC on what signed ingest takes in.
//! Every comparison here takes the same time whatever the bytes are, and no secret is ever printed.

mod ingest;
mod secret;
mod verify;

pub use ingest::ingest_signature_matches;
pub use secret::{MAX_SECRET_BYTES, MIN_SECRET_BYTES, SECRET_PREFIX, SecretError, SigningSecret};
pub use verify::{DEFAULT_TOLERANCE, MAX_SIGNATURES, SignedMessage, VerifyError};

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What a symmetric Standard Webhooks signature begins with.
const V1: &str = "v1,";
/// Characters of one written signature: `v1,`, 32 bytes in base64, and the space before the next.
const SIGNATURE_LENGTH: usize = V1.len() + 44 + 1;

/// The value of `webhook-signature`: one `v1` signature a secret, in their order, separated by a space.
///
/// `id` is the `webhook-id`, `timestamp_seconds` the `webhook-timestamp`; what is signed is `id.timestamp.body`.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let mut head = String::with_capacity(id.len() + 22);
    write!(head, "{id}.{timestamp_seconds}.").expect("writing to a String does not fail");
    let mut signatures = String::with_capacity(secrets.len() * SIGNATURE_LENGTH);
    for secret in secrets {
        if !signatures.is_empty() {
            signatures.push(' ');
        }
        signatures.push_str(V1);
        STANDARD.encode_string(secret.tag(&[head.as_bytes(), body]), &mut signatures);
    }
    signatures
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

    /// The vector of the Standard Webhooks libraries.
    #[test]
    fn the_published_vector_is_met() {
        let signed = sign(&[secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], ID, AT, BODY);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_in_its_order() {
        let (old, new) = (SigningSecret::generate(), SigningSecret::generate());
        let both = sign(&[new.clone(), old.clone()], ID, AT, BODY);
        assert_eq!(both, format!("{} {}", sign(&[new], ID, AT, BODY), sign(&[old], ID, AT, BODY)));
        assert_eq!(both.len() + 1, 2 * SIGNATURE_LENGTH);
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
