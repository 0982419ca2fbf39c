//! Telegram in the suite: the receiver is the Bot API.

use std::time::Duration;

use channels::{Bot, Outbound, SendReport, TelegramRequest, TelegramSender};
use domain::{delivery::SendResult, notification::Notification};
use serde_json::json;
use url::{Position, Url};

use crate::suite::{SENT_AT, Subject};

const SECRET: &str = "AAEhBP0av28-yourtokenhere";
/// An answer without what fills it up. `ok` stands last, so that one that is cut says nothing of it.
const ACCEPTED: [&str; 2] = [r#"{"result":""#, r#"","ok":true}"#];

struct Telegram(Outbound);

impl Subject for Telegram {
    /// Each says what it is in its body, which a 204 can't.
    const SUCCESSES: &'static [&'static str] = &["200 OK", "201 Created", "202 Accepted", "299 Whatever"];
    /// The status alone may be any server's.
    const CUT_OFF: SendResult = SendResult::Failed;

    fn meaning(status: u16) -> SendResult {
        match status {
            400 => SendResult::Rejected,
            403 => SendResult::Unsubscribed,
            429 | 502 | 503 | 504 => SendResult::Overloaded { retry_after: None },
            _ => SendResult::Failed,
        }
    }

    fn success(bytes: usize) -> Vec<u8> {
        let [before, behind] = ACCEPTED;
        let filling = bytes.saturating_sub(before.len() + behind.len());
        format!("{before}{}{behind}", "x".repeat(filling)).into_bytes()
    }

    fn failure(status: u16) -> Vec<u8> {
        json!({"ok": false, "error_code": status, "description": "why"}).to_string().into_bytes()
    }

    fn over(outbound: Outbound) -> Self {
        Self(outbound)
    }

    async fn send(&self, url: &Url, deadline: Duration) -> SendReport {
        let bot = Bot::new(&format!("42:{SECRET}"), &url[..Position::BeforePath]).expect("a bot");
        let message = "watermelon".to_owned();
        let notification = &Notification { title: None, message, url: None, notice_id: None };
        let request =
            TelegramRequest { chat_id: "1", notification, parts_sent: 0, deadline, sent_at: SENT_AT };
        TelegramSender::with_client(self.0.clone(), bot).send(request).await
    }

    fn secrets(_: &Url) -> Vec<String> {
        [SECRET, "watermelon"].map(str::to_owned).to_vec()
    }

    fn secrets_said_back(_: &Url) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}

suite!(Telegram);
