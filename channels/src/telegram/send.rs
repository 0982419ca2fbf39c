//! Sends the remaining parts of a notification to a chat and reports the result. Must not touch the database.

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
    /// The chat: an integer, or a name like `@channel`.
    pub chat_id: &'a str,
    /// The notification to send.
    pub notification: &'a Notification,
    /// How many of its parts the chat has received already, from the first.
    pub parts_sent: u16,
    /// Timeout of the whole attempt, all parts together.
    pub deadline: Duration,
    /// The current time: the base of a date in `Retry-After` if the response has no `Date`.
    pub sent_at: Millis,
}

/// Sends as one bot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TelegramSender {
    outbound: Outbound,
    bot: Bot,
}

impl TelegramSender {
    /// Creates a sender that shares a client. The API's URL is a setting of the operator, so its guard may be
    /// [`crate::Guard::open`].
    #[must_use]
    pub const fn with_client(outbound: Outbound, bot: Bot) -> Self {
        Self { outbound, bot }
    }

    /// Sends the remaining parts one after the other until one is not accepted. Returns shortly after the deadline at the
    /// latest; errors are part of the report.
    ///
    /// The report is that of the last call, except that the total time covers all calls and `parts_sent` counts all accepted
    /// parts, earlier attempts included. A part whose response never arrived may have been delivered and is not counted.
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
                report.error = report.error.map(|error| with_part(index, parts.len(), error));
                break;
            }
            report.parts_sent = sent.saturating_add(1);
        }
        report.timing.total = start.elapsed();
        report
    }

    /// Sends one part. If the group has become a supergroup with another id, the part and those after it go to the new id,
    /// once.
    async fn send_part(&self, chat: &mut Value, part: &str, until: Instant, sent_at: Millis) -> SendReport {
        let (report, moved_to) = self.call(chat, part, until, sent_at).await;
        let Some(new) = moved_to.map(Value::from).filter(|new| new != chat) else { return report };
        *chat = new;
        self.call(chat, part, until, sent_at).await.0
    }

    /// Makes one call. Also returns the new id of the group if the call was refused because of it.
    async fn call(
        &self,
        chat: &Value,
        part: &str,
        until: Instant,
        sent_at: Millis,
    ) -> (SendReport, Option<i64>) {
        let body = json!({"chat_id": chat, "text": part, "parse_mode": "HTML"}).to_string();
        let left = until.saturating_duration_since(Instant::now());
        // Without time left the call could be sent and its response missed.
        let exchange = if left.is_zero() { deadline_passed() } else { self.post(body.into(), left).await };
        self.report_of(exchange, sent_at)
    }

    async fn post(&self, body: Bytes, left: Duration) -> Exchange {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        ]);
        self.outbound.post(self.bot.send_message(), headers, body, left).await
    }

    fn report_of(&self, exchange: Exchange, sent_at: Millis) -> (SendReport, Option<i64>) {
        let response = exchange.answer.as_ref().ok().and_then(|answer| BotResponse::parse(&answer.body));
        let recorded = HeaderRecord::from_pairs(
            [("content-type", CONTENT_TYPE), ("user-agent", USER_AGENT)].into_iter(),
        );
        let classify = |status, headers: &HeaderMap| classify(status, headers, response.as_ref(), sent_at);
        let mut report = report(exchange, recorded, self.bot.redactor(), classify);
        if let Some(words) = error_of(&report, response.as_ref()) {
            report.error = Some(self.bot.redactor().redact_text(words));
        }
        (report, response.filter(|response| !response.ok).and_then(|response| response.migrate_to))
    }
}

/// Creates the report when no call is needed: all parts are sent, or the message has no visible content.
fn without_call(parts: &[String], parts_sent: u16) -> SendReport {
    if parts.is_empty() {
        return SendReport::unreadable("the message has no visible content");
    }
    SendReport {
        result: SendResult::Accepted,
        error_class: None,
        error: None,
        parts_sent,
        ..SendReport::unreadable("")
    }
}

/// Describes a failure better than its status does.
fn error_of(report: &SendReport, response: Option<&BotResponse>) -> Option<String> {
    match (report.error_class?, response) {
        (_, Some(response)) => response.error_text(),
        (ErrorClass::Protocol, None) => {
            report.status_code.map(|code| format!("answered {code} without a response of the Bot API"))
        }
        _ => None,
    }
}

fn deadline_passed() -> Exchange {
    let failure = Failure::new(ErrorClass::Timeout, "the deadline passed before it could be sent");
    Exchange { answer: Err(failure), timing: Timing::default() }
}

/// Sends integers as numbers, also beyond 2^53.
fn chat(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| Value::from(id), Value::from)
}

fn with_part(index: usize, parts: usize, error: String) -> String {
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
        assert_eq!(with_part(0, 1, "no".to_owned()), "no");
        assert_eq!(with_part(1, 3, "no".to_owned()), "part 2 of 3: no");
    }
}
