//! The webhook channel against real sockets: what is sent, what is made of answers, and how each way to fail is named.

mod answers;
mod hangups;
mod http2;
mod keys;
mod receiver;
mod requests;
mod slow;
mod tls;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use channels::{Guard, SendReport, SenderOptions, WebhookRequest, WebhookSender, WebhookTarget};
use domain::{clock::Millis, endpoint::CustomHeaders, id::EventId, signature::SigningSecret};
use url::Url;

/// When every attempt of these tests is made.
const SENT_AT: Millis = Millis(1_700_000_000_123);
/// Long enough never to be met where it is not meant to.
const PATIENT: Duration = Duration::from_secs(10);
/// Short: these tests wait for it to pass.
const SHORT: Duration = Duration::from_millis(200);

fn loopback() -> Guard {
    Guard::new(["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network")).to_vec())
}

fn sender() -> WebhookSender {
    WebhookSender::new(loopback(), &SenderOptions::default()).expect("a client")
}

fn target(url: Url) -> WebhookTarget {
    WebhookTarget::new(url, &CustomHeaders::default(), SigningSecret::generate().into())
}

fn request(target: &WebhookTarget, deadline: Duration) -> WebhookRequest<'_> {
    let body = Bytes::from_static(b"{\"type\":\"test\"}");
    WebhookRequest { event_id: EventId::new(), target, body, deadline, sent_at: SENT_AT }
}

async fn send_within(url: Url, deadline: Duration) -> SendReport {
    sender().send(request(&target(url), deadline)).await
}

async fn send(url: Url) -> SendReport {
    send_within(url, PATIENT).await
}
