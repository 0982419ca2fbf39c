//! Webhooks in the suite: the receiver is the endpoint.

use std::time::Duration;

use bytes::Bytes;
use channels::{Outbound, SendReport, WebhookRequest, WebhookSender, WebhookTarget};
use domain::{delivery::SendResult, endpoint::CustomHeaders, id::EventId, signature::SigningSecret};
use serde_json::json;
use url::Url;

use crate::suite::{SENT_AT, Subject};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const TOKEN: &str = "Bearer yourtokenhere";

struct Webhook(WebhookSender);

impl Subject for Webhook {
    fn meaning(status: u16) -> SendResult {
        match status {
            410 => SendResult::Gone,
            429 | 502 | 503 | 504 => SendResult::Overloaded { retry_after: None },
            _ => SendResult::Failed,
        }
    }

    fn over(outbound: Outbound) -> Self {
        Self(WebhookSender::with_client(outbound))
    }

    async fn send(&self, url: &Url, deadline: Duration) -> SendReport {
        let custom = CustomHeaders::parse(&json!({"authorization": TOKEN})).expect("valid headers");
        let secret: SigningSecret = SECRET.parse().expect("a secret");
        let target = WebhookTarget::new(url.clone(), &custom, secret.into());
        let body = Bytes::from_static(b"{\"type\":\"test\"}");
        let request =
            WebhookRequest { event_id: EventId::new(), target: &target, body, deadline, sent_at: SENT_AT };
        self.0.send(request).await
    }

    fn secrets(_: &Url) -> Vec<String> {
        [SECRET, TOKEN].map(str::to_owned).to_vec()
    }

    /// The receiver is the owner's own, and so is what it says.
    fn secrets_said_back(_: &Url) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}

suite!(Webhook);
