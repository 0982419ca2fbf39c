//! Web push in the suite: the receiver is the push service, its URL a subscription.

use std::time::Duration;

use channels::{Outbound, PushRequest, PushTarget, SendReport, VapidKeys, WebPushSender};
use domain::{delivery::SendResult, id::EventId, notification::Notification};
use testkit::PushService;
use url::{Position, Url};

use crate::suite::{SENT_AT, Subject};

struct WebPush(WebPushSender);

impl Subject for WebPush {
    fn meaning(status: u16) -> SendResult {
        match status {
            404 | 410 => SendResult::Unsubscribed,
            408 => SendResult::Failed,
            429 | 500.. => SendResult::Overloaded { retry_after: None },
            _ => SendResult::Rejected,
        }
    }

    fn over(outbound: Outbound) -> Self {
        let (private, public) = VapidKeys::generate();
        let keys = VapidKeys::new(&private, &public, "ops@example.com").expect("our own pair");
        Self(WebPushSender::with_client(outbound, keys))
    }

    async fn send(&self, url: &Url, deadline: Duration) -> SendReport {
        let browser = PushService::browser();
        let target = PushTarget::new(url.as_str(), browser.public(), browser.auth()).expect("valid");
        let message = "watermelon".to_owned();
        let notification = Notification { title: None, message, url: None, notice_id: None };
        let (event_id, target, notification) = (EventId::new(), &target, &notification);
        self.0.send(PushRequest { event_id, target, notification, deadline, sent_at: SENT_AT }).await
    }

    fn secrets(url: &Url) -> Vec<String> {
        let path = url[Position::BeforePath..Position::AfterQuery].to_owned();
        vec![path, "vapid t=".to_owned(), "watermelon".to_owned()]
    }

    fn secrets_said_back(url: &Url) -> Vec<String> {
        vec![url[Position::BeforePath..Position::AfterQuery].to_owned()]
    }
}

suite!(WebPush);
