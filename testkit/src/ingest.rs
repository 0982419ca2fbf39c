//! What a sender of signed messages does: a body and its signature. Made without the code that checks them.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// `X-Signature` of these bytes under `secret`.
///
/// # Panics
/// Never: keys of any length will do.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// The message of the documents, with this id.
#[must_use]
pub fn message(id: &str) -> Value {
    json!({"message_id": id, "from": "+919876543210", "to": "+14155550100", "ts": "2025-01-15T10:00:00Z", "text": "Hello"})
}
