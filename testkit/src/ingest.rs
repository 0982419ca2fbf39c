//! A sender of signed messages: bodies and signatures, made without the code that verifies them.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Returns the `X-Signature` of a body under `secret`.
///
/// # Panics
/// Never: keys may have any length.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Returns the documented example message with this id.
#[must_use]
pub fn message(id: &str) -> Value {
    json!({"message_id": id, "from": "+919876543210", "to": "+14155550100", "ts": "2025-01-15T10:00:00Z", "text": "Hello"})
}
