//! A call as it came in.

use std::time::Instant;

use bytes::Bytes;
use domain::{
    clock::Millis,
    signature::{DEFAULT_TOLERANCE, SignedMessage, SigningSecret, VerifyError},
};
use http::{HeaderMap, Method};

/// One request that the receiver got.
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
    /// When its body was in.
    pub at: Instant,
    /// The status it gets for an answer; 0 for none.
    pub answered: u16,
}

impl Call {
    /// A header's value, when it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `webhook-id`: the same for every attempt of one message.
    #[must_use]
    pub fn webhook_id(&self) -> Option<&str> {
        self.header("webhook-id")
    }

    /// The body as JSON, when it is that.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Checks the Standard Webhooks signature, as any receiver should.
    ///
    /// # Errors
    /// What does not hold; a header that is missing counts as empty.
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
