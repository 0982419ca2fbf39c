//! Sends one message to one browser and reports it. Must not touch the database.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{clock::Millis, id::EventId, notification::Notification};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    encrypt::encrypt,
    outcome::classify,
    payload::payload,
    target::PushTarget,
    vapid::{Tokens, VapidKeys},
};
use crate::{
    answer::report,
    outbound::{Outbound, USER_AGENT},
    report::{HeaderRecord, MASK, SendReport},
};

/// How long a push service keeps a message for an offline browser: a day.
pub const TTL: Duration = Duration::from_secs(86_400);

const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");

/// One attempt at a delivery.
#[derive(Debug)]
pub struct PushRequest<'a> {
    /// The event: the same for every attempt, so that a repeat replaces a message that the push service still holds.
    pub event_id: EventId,
    /// The subscription to send to.
    pub target: &'a PushTarget,
    /// The notification to send.
    pub notification: &'a Notification,
    /// Timeout of the whole attempt.
    pub deadline: Duration,
    /// The current time: the start of the signature's validity, and the base of a date in `Retry-After` if the response has
    /// no `Date`.
    pub sent_at: Millis,
}

/// Sends push messages through one pooled client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebPushSender {
    outbound: Outbound,
    tokens: Arc<Tokens>,
}

impl WebPushSender {
    /// Creates a sender that signs with `keys` and shares a client, and its guard, with other channels.
    #[must_use]
    pub fn with_client(outbound: Outbound, keys: VapidKeys) -> Self {
        Self { outbound, tokens: Arc::new(Tokens::new(keys)) }
    }

    /// Encrypts and sends one attempt. Returns shortly after the deadline at the latest; errors are part of the report.
    pub async fn send(&self, request: PushRequest<'_>) -> SendReport {
        let PushRequest { event_id, target, notification, deadline, sent_at } = request;
        let headers = self.headers(target, event_id, sent_at);
        let recorded = record(&headers);
        let body = encrypt(target, &payload(event_id, notification)).into();
        let exchange = self.outbound.post(target.url.clone(), headers, body, deadline).await;
        report(exchange, recorded, &target.redactor(), |status, headers| classify(status, headers, sent_at))
    }

    fn headers(&self, target: &PushTarget, event_id: EventId, sent_at: Millis) -> HeaderMap {
        HeaderMap::from_iter([
            (HeaderName::from_static("ttl"), HeaderValue::from(TTL.as_secs())),
            (URGENCY, HeaderValue::from_static("normal")),
            (TOPIC, topic(event_id)),
            (header::CONTENT_ENCODING, HeaderValue::from_static("aes128gcm")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
            (header::AUTHORIZATION, self.tokens.authorization(&target.origin, sent_at)),
        ])
    }
}

/// Encodes the event id as a topic: 22 of the 32 characters allowed (RFC 8030 §5.4).
fn topic(event_id: EventId) -> HeaderValue {
    let text = URL_SAFE_NO_PAD.encode(event_id.0.as_bytes());
    text.try_into().expect("base64url is a value")
}

fn record(headers: &HeaderMap) -> HeaderRecord {
    HeaderRecord::from_pairs(headers.iter().map(|(name, value)| {
        let shown = if value.is_sensitive() { MASK } else { value.to_str().unwrap_or(MASK) };
        (name.as_str(), shown)
    }))
}
