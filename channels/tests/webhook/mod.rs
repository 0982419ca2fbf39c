//! Tests of webhooks alone: the body, custom headers, and signing keys.

mod keys;
mod requests;

use std::time::Duration;

use bytes::Bytes;
use channels::{SendReport, WebhookRequest, WebhookSender, WebhookTarget};
use domain::{clock::Millis, endpoint::CustomHeaders, id::EventId, signature::SigningSecret};
use url::Url;

use crate::suite::{PATIENT, SENT_AT, outbound};

fn sender() -> WebhookSender {
    WebhookSender::with_client(outbound())
}

fn target(url: Url) -> WebhookTarget {
    WebhookTarget::new(url, &CustomHeaders::default(), SigningSecret::generate().into())
}

fn request(target: &WebhookTarget, deadline: Duration) -> WebhookRequest<'_> {
    let body = Bytes::from_static(b"{\"type\":\"test\"}");
    WebhookRequest { event_id: EventId::new(), target, body, deadline, sent_at: SENT_AT }
}
