//! What an answer means. Pure.
//!
//! What ends a delivery or a subscription has to be the Bot API's own word: a page of a proxy that says 400 or 403 is a
//! failure like any other. A wrong token (401, or 404 for one of no known form) is the operator's fault, not the recipient's,
//! and is no reason to bury what a mended token can send: it fails, is tried again, and opens the bot's breaker.

use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
};
use http::{HeaderMap, StatusCode};

use super::response::BotResponse;
use crate::answer::{Classification, overloaded};

/// Descriptions of a 400 that mean that the recipient is not there, in lower case; any other 400 is about the message, or about
/// rights that an administrator may give back.
// The Bot API's server (tdlib/telegram-bot-api, `Client::check_chat_access`) and the errors of `messages.sendMessage` that it
// hands on as they are (core.telegram.org/method/messages.sendMessage).
const NOT_THERE: [&str; 9] = [
    "chat not found",
    "user not found",
    "group chat was upgraded to a supergroup chat",
    "peer_id_invalid",
    "chat_id_invalid",
    "user_id_invalid",
    "channel_invalid",
    "channel_private",
    "input_user_deactivated",
];

/// The result and, for a failure, its class. A 200 that says `"ok": false` is judged by the code inside.
pub(super) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    told: Option<&BotResponse>,
    sent_at: Millis,
) -> Classification {
    let result = match (code(status, told), told) {
        (200..=299, Some(told)) if told.ok => return (SendResult::Accepted, None),
        // Who answers so is not the Bot API, or broke off before it had said anything.
        (200..=299, _) => return (SendResult::Failed, Some(ErrorClass::Protocol)),
        (300..=399, _) => return (SendResult::Failed, Some(ErrorClass::Redirect)),
        (400, Some(told)) if is_not_there(told) => SendResult::Unsubscribed,
        (400, Some(_)) => SendResult::Rejected,
        (403, Some(_)) => SendResult::Unsubscribed,
        (429 | 502 | 503 | 504, told) => match told.and_then(|told| told.retry_after) {
            None => return overloaded(headers, sent_at),
            retry_after => SendResult::Overloaded { retry_after },
        },
        _ => SendResult::Failed,
    };
    (result, Some(ErrorClass::Status))
}

fn code(status: StatusCode, told: Option<&BotResponse>) -> u16 {
    let inside = told.filter(|told| status.is_success() && !told.ok).and_then(|told| told.error_code);
    inside.unwrap_or(status.as_u16())
}

fn is_not_there(told: &BotResponse) -> bool {
    let description = told.description.to_lowercase();
    told.migrate_to.is_some() || NOT_THERE.iter().any(|words| description.contains(words))
}

#[cfg(test)]
mod tests;
