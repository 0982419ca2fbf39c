//! Interprets responses of the Bot API. Pure.
//!
//! Only a response of the Bot API itself may end a delivery or a subscription: a proxy's page with 400 or 403 is a failure
//! like any other. A wrong token (401, or 404 if malformed) is the operator's fault, not the recipient's: the attempt fails, is
//! retried, and opens the bot's breaker, so that deliveries survive until the token is corrected.

use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
};
use http::{HeaderMap, StatusCode};

use super::response::BotResponse;
use crate::answer::{Classification, overloaded};

/// Descriptions of a 400, in lower case, that mean that the recipient no longer exists. Any other 400 is about the message, or
/// about rights that an administrator may restore.
// The Bot API's server (tdlib/telegram-bot-api, `Client::check_chat_access`) and the errors of `messages.sendMessage` that it
// hands on as they are (core.telegram.org/method/messages.sendMessage).
const GONE_DESCRIPTIONS: [&str; 9] = [
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

/// Returns the result and, for a failure, its class. A 200 with `"ok": false` counts as the code inside.
pub(super) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    response: Option<&BotResponse>,
    sent_at: Millis,
) -> Classification {
    let result = match (code(status, response), response) {
        (200..=299, Some(response)) if response.ok => return (SendResult::Accepted, None),
        // Not a response of the Bot API, or a truncated one.
        (200..=299, _) => return (SendResult::Failed, Some(ErrorClass::Protocol)),
        (300..=399, _) => return (SendResult::Failed, Some(ErrorClass::Redirect)),
        (400, Some(response)) if is_gone(response) => SendResult::Unsubscribed,
        (400, Some(_)) => SendResult::Rejected,
        (403, Some(_)) => SendResult::Unsubscribed,
        (429 | 502 | 503 | 504, response) => match response.and_then(|response| response.retry_after) {
            None => return overloaded(headers, sent_at),
            retry_after => SendResult::Overloaded { retry_after },
        },
        _ => SendResult::Failed,
    };
    (result, Some(ErrorClass::Status))
}

fn code(status: StatusCode, response: Option<&BotResponse>) -> u16 {
    let inside = response
        .filter(|response| status.is_success() && !response.ok)
        .and_then(|response| response.error_code);
    inside.unwrap_or(status.as_u16())
}

fn is_gone(response: &BotResponse) -> bool {
    let description = response.description.to_lowercase();
    response.migrate_to.is_some() || GONE_DESCRIPTIONS.iter().any(|words| description.contains(words))
}

#[cfg(test)]
mod tests;
