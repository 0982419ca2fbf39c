//! A recorded call.

use std::time::Instant;

use bytes::Bytes;
use domain::{
    clock::Millis,
    signature::{DEFAULT_TOLERANCE, SignedMessage, SigningSecret, VerifyError},
};
use http::{HeaderMap, Method};

/// One request that was received.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, with the query if there is one.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty when it was too large to be kept.
    pub body: Bytes,
    /// When its body had been read.
    pub at: Instant,
    /// The status of its answer; 0 without a response.
    pub answered: u16,
}

impl Call {
    /// Returns a header's value if it is present and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns `webhook-id`: the same for each attempt of one event.
    #[must_use]
    pub fn webhook_id(&self) -> Option<&str> {
        self.header("webhook-id")
    }

    /// Returns the body as JSON if it is valid.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Verifies the Standard Webhooks signature, as any receiver should.
    ///
    /// # Errors
    /// The first check that fails; a missing header counts as empty.
    pub fn verify(&self, secret: &SigningSecret, now: Millis) -> Result<(), VerifyError> {
        let header = |name| self.header(name).unwrap_or_default();
        let message = SignedMessage {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            body: &self.body,
        };
        message.verify(secret, now.0.div_euclid(1_000), DEFAULT_TOLERANCE)
    }
}
