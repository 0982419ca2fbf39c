//! Sends what is left of a notification, part by part, and reports it. Must not touch the database.

use std::time::Duration;

use bytes::Bytes;
use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
    notification::Notification,
};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{bot::Bot, outcome::classify, response::BotResponse, text::parts};
use crate::{
    answer::report,
    outbound::{Exchange, Failure, Outbound, USER_AGENT},
    report::{HeaderRecord, SendReport, Timing},
};

const CONTENT_TYPE: &str = "application/json";

/// One attempt at a delivery to a chat.
#[derive(Debug)]
pub struct TelegramRequest<'a> {
    /// A whole number, or a name like `@channel`.
    pub chat_id: &'a str,
    /// What the chat is told.
    pub notification: &'a Notification,
    /// How many of its parts the chat has already, from the first.
    pub parts_sent: u16,
    /// How long the whole attempt may take, all parts together.
    pub deadline: Duration,
    /// Now: what a date in `Retry-After` is relative to when the answer has no `Date`.
    pub sent_at: Millis,
}

/// Sends as one bot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TelegramSender {
    outbound: Outbound,
    bot: Bot,
}

impl TelegramSender {
    /// A sender that shares a client. The API's address is the operator's own setting, so its guard may be
    /// [`crate::Guard::open`].
    #[must_use]
    pub const fn over(outbound: Outbound, bot: Bot) -> Self {
        Self { outbound, bot }
    }

    /// Sends the parts that are not out yet, one after the other, until one is not accepted. Always returns within the
    /// deadline (and a moment); never fails but by report.
    ///
    /// The report is that of the last call, but for the total time, which is that of all, and `parts_sent`, which counts all
    /// parts that are out, those of earlier attempts too. A part whose answer never came may be out and is not counted.
    pub async fn send(&self, request: TelegramRequest<'_>) -> SendReport {
        let start = Instant::now();
        let until = start + request.deadline;
        let parts = parts(request.notification);
        let mut chat = chat(request.chat_id);
        let mut report = without_call(&parts, request.parts_sent);
        for (index, part) in parts.iter().enumerate().skip(usize::from(request.parts_sent)) {
            let sent = report.parts_sent;
            report = self.send_part(&mut chat, part, until, request.sent_at).await;
            report.parts_sent = sent;
            if report.result != SendResult::Accepted {
                report.error = report.error.map(|error| of_part(index, parts.len(), error));
                break;
            }
            report.parts_sent = sent.saturating_add(1);
        }
        report.timing.total = start.elapsed();
        report
    }

    /// One part to a chat. A group that has become a supergroup has another id from then on: the part, and those after it,
    /// follow it there, once.
    async fn send_part(&self, chat: &mut Value, part: &str, until: Instant, sent_at: Millis) -> SendReport {
        let (report, moved_to) = self.call(chat, part, until, sent_at).await;
        let Some(new) = moved_to.map(Value::from).filter(|new| new != chat) else { return report };
        *chat = new;
        self.call(chat, part, until, sent_at).await.0
    }

    /// One call, and the chat that the group has become if that is why it was refused.
    async fn call(
        &self,
        chat: &Value,
        part: &str,
        until: Instant,
        sent_at: Millis,
    ) -> (SendReport, Option<i64>) {
        let body = json!({"chat_id": chat, "text": part, "parse_mode": "HTML"}).to_string();
        let left = until.saturating_duration_since(Instant::now());
        // With no time left the call could go out unheard.
        let exchange = if left.is_zero() { too_late() } else { self.post(body.into(), left).await };
        self.read(exchange, sent_at)
    }

    async fn post(&self, body: Bytes, left: Duration) -> Exchange {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        ]);
        self.outbound.post(self.bot.send_message(), headers, body, left).await
    }

    fn read(&self, exchange: Exchange, sent_at: Millis) -> (SendReport, Option<i64>) {
        let told = exchange.answer.as_ref().ok().and_then(|answer| BotResponse::read(&answer.body));
        let recorded =
            HeaderRecord::of([("content-type", CONTENT_TYPE), ("user-agent", USER_AGENT)].into_iter());
        let classify = |status, headers: &HeaderMap| classify(status, headers, told.as_ref(), sent_at);
        let mut report = report(exchange, recorded, self.bot.hidden(), classify);
        if let Some(words) = own_words(&report, told.as_ref()) {
            report.error = Some(self.bot.hidden().in_text(words));
        }
        (report, told.filter(|told| !told.ok).and_then(|told| told.migrate_to))
    }
}

/// The report where there is nothing to call for: every part is out, or there is nothing to see in the message.
fn without_call(parts: &[String], parts_sent: u16) -> SendReport {
    if parts.is_empty() {
        return SendReport::unreadable("there is nothing to see in the message");
    }
    SendReport {
        result: SendResult::Accepted,
        error_class: None,
        error: None,
        parts_sent,
        ..SendReport::unreadable("")
    }
}

/// What says more of a failure than its status.
fn own_words(report: &SendReport, told: Option<&BotResponse>) -> Option<String> {
    match (report.error_class?, told) {
        (_, Some(told)) => told.words(),
        (ErrorClass::Protocol, None) => {
            report.status_code.map(|code| format!("answered {code}, but not as the Bot API does"))
        }
        _ => None,
    }
}

fn too_late() -> Exchange {
    let failure = Failure::new(ErrorClass::Timeout, "the deadline passed before it could be sent");
    Exchange { answer: Err(failure), timing: Timing::default() }
}

/// Whole numbers go as they are: beyond 2^53, too.
fn chat(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| Value::from(id), Value::from)
}

fn of_part(index: usize, parts: usize, error: String) -> String {
    if parts == 1 { error } else { format!("part {} of {parts}: {error}", index + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_an_exact_number_or_a_name() {
        for number in
            ["42", "-1001234567890", "9007199254740993", "-9223372036854775808", "9223372036854775807"]
        {
            assert_eq!(chat(number).to_string(), number);
        }
        for name in ["@channel", "9223372036854775808", "1.5", "", "0x10"] {
            assert_eq!(chat(name), Value::String(name.to_owned()));
        }
    }

    #[test]
    fn a_failure_names_its_part_where_there_are_several() {
        assert_eq!(of_part(0, 1, "no".to_owned()), "no");
        assert_eq!(of_part(1, 3, "no".to_owned()), "part 2 of 3: no");
    }
}
