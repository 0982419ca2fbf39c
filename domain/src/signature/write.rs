//! Formats signatures for `webhook-signature`: each with its version, separated by spaces.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{PrivateKey, SigningSecret};

/// The prefix of symmetric Standard Webhooks signatures.
pub(super) const V1: &str = "v1,";
/// The prefix of asymmetric signatures.
pub(super) const V1A: &str = "v1a,";
/// Capacity for the usual case: signatures of a secret and an ed25519 key in base64, with prefixes.
const USUAL_LENGTH: usize = V1.len() + 44 + 1 + V1A.len() + 88;

/// Collects the signatures of one message.
pub(super) struct Signatures<'a> {
    head: String,
    body: &'a [u8],
    text: String,
}

impl<'a> Signatures<'a> {
    /// Starts without signatures for the message `id.timestamp.body`.
    pub(super) fn new(id: &str, timestamp_seconds: i64, body: &'a [u8]) -> Self {
        let mut head = String::with_capacity(id.len() + 22);
        write!(head, "{id}.{timestamp_seconds}.").expect("writing to a String does not fail");
        Self { head, body, text: String::with_capacity(USUAL_LENGTH) }
    }

    /// Adds an HMAC-SHA256.
    pub(super) fn add_v1(&mut self, secret: &SigningSecret) {
        let tag = secret.tag(&[self.head.as_bytes(), self.body]);
        self.add(V1, &tag);
    }

    /// Adds an ed25519 signature.
    pub(super) fn add_v1a(&mut self, key: &PrivateKey) {
        let signature = key.sign(&[self.head.as_bytes(), self.body]);
        self.add(V1A, &signature);
    }

    /// Returns all signatures, in the order in which they were added.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn add(&mut self, version: &str, signature: &[u8]) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(version);
        STANDARD.encode_string(signature, &mut self.text);
    }
}
