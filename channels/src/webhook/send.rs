//! Sends one attempt and reports it. Must not touch the database.

use std::time::Duration;

use bytes::Bytes;
use domain::{clock::Millis, id::EventId};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{outcome::classify, target::WebhookTarget};
use crate::{
    answer::{Redactor, report},
    guard::Guard,
    outbound::{Outbound, OutboundError, SenderOptions},
    report::{HeaderRecord, SendReport},
};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// One attempt at a delivery.
#[derive(Debug)]
pub struct WebhookRequest<'a> {
    /// The `webhook-id`: the same for every attempt, endpoint and replay.
    pub event_id: EventId,
    /// The endpoint to send to.
    pub target: &'a WebhookTarget,
    /// The stored body, sent byte for byte.
    pub body: Bytes,
    /// Timeout of the whole attempt.
    pub deadline: Duration,
    /// The current time: the `webhook-timestamp`, the time at which old keys must be valid, and the base of a date in
    /// `Retry-After` if the response has no `Date`.
    pub sent_at: Millis,
}

/// Sends webhooks through one pooled client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebhookSender {
    outbound: Outbound,
}

impl WebhookSender {
    /// Creates a sender behind `guard`, with its own client.
    ///
    /// # Errors
    /// When the client can't be built from the options.
    pub fn new(guard: Guard, options: &SenderOptions) -> Result<Self, OutboundError> {
        Outbound::new(guard, options).map(Self::with_client)
    }

    /// Creates a sender that shares a client with other channels.
    #[must_use]
    pub const fn with_client(outbound: Outbound) -> Self {
        Self { outbound }
    }

    /// Signs and sends one attempt. Returns shortly after the deadline at the latest; errors are part of the report.
    pub async fn send(&self, request: WebhookRequest<'_>) -> SendReport {
        let WebhookRequest { event_id, target, body, deadline, sent_at } = request;
        let (headers, recorded) = signed_headers(target, event_id, sent_at, &body);
        let exchange = self.outbound.post(target.url.clone(), headers, body, deadline).await;
        let classify = |status, headers: &HeaderMap| classify(status, headers, sent_at);
        report(exchange, recorded, &Redactor::default(), classify)
    }
}

fn signed_headers(
    target: &WebhookTarget,
    event_id: EventId,
    sent_at: Millis,
    body: &[u8],
) -> (HeaderMap, HeaderRecord) {
    let id = event_id.to_string();
    let timestamp = sent_at.seconds().to_string();
    let signature = target.keys.sign(&id, sent_at, body);
    let (mut headers, mut recorded) = (target.headers.clone(), target.recorded.clone());
    for (name, value) in [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)] {
        recorded.push(name.as_str(), &value);
        headers.insert(
            name,
            HeaderValue::from_maybe_shared(Bytes::from(value)).expect("digits, hex and base64"),
        );
    }
    (headers, recorded)
}
