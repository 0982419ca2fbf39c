//! Every status in the Bot API's words and in a stranger's; descriptions as its server writes them.

use std::time::Duration;

use http::header::RETRY_AFTER;

use super::*;

fn refusal(code: u16, description: &str) -> BotResponse {
    BotResponse { error_code: Some(code), description: description.to_owned(), ..BotResponse::default() }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status")
}

fn classified(code: u16, response: Option<&BotResponse>) -> (SendResult, Option<ErrorClass>) {
    classify(status(code), &HeaderMap::new(), response, Millis(0))
}

fn bad_request(description: &str) -> SendResult {
    let response = refusal(400, description);
    let (result, class) = classified(400, Some(&response));
    assert_eq!(class, Some(ErrorClass::Status));
    result
}

#[test]
fn every_status_has_its_meaning_in_the_words_of_the_bot_api() {
    let overloaded = SendResult::Overloaded { retry_after: None };
    for code in (100..=999).filter(|code| !(200..300).contains(code)) {
        let expected = match code {
            300..=399 => (SendResult::Failed, Some(ErrorClass::Redirect)),
            400 => (SendResult::Rejected, Some(ErrorClass::Status)),
            403 => (SendResult::Unsubscribed, Some(ErrorClass::Status)),
            429 | 502 | 503 | 504 => (overloaded, Some(ErrorClass::Status)),
            _ => (SendResult::Failed, Some(ErrorClass::Status)),
        };
        let response = refusal(code, "why");
        assert_eq!(classified(code, Some(&response)), expected, "{code}");
        assert_eq!(classified(200, Some(&response)), expected, "{code} inside a 200");
    }
}

#[test]
fn a_strangers_word_ends_neither_a_delivery_nor_a_subscription() {
    for code in 100..=999 {
        let (result, class) = classified(code, None);
        let overloaded = SendResult::Overloaded { retry_after: None };
        let expected = if [429, 502, 503, 504].contains(&code) { overloaded } else { SendResult::Failed };
        assert_eq!(result, expected, "{code}");
        let class_of = match code {
            200..=299 => ErrorClass::Protocol,
            300..=399 => ErrorClass::Redirect,
            _ => ErrorClass::Status,
        };
        assert_eq!(class, Some(class_of), "{code}");
    }
}

#[test]
fn only_a_2xx_that_says_ok_is_accepted() {
    let ok = BotResponse { ok: true, ..BotResponse::default() };
    assert_eq!(classified(200, Some(&ok)), (SendResult::Accepted, None));
    assert_eq!(classified(400, Some(&ok)).0, SendResult::Rejected, "the status counts");
    let protocol = (SendResult::Failed, Some(ErrorClass::Protocol));
    assert_eq!(classified(200, Some(&BotResponse::default())), protocol, "not ok, and no code");
    assert_eq!(classified(200, Some(&refusal(200, ""))), protocol);
}

#[test]
fn recipients_that_are_not_there_are_told_from_messages_that_are_wrong() {
    for gone in [
        "Bad Request: chat not found",
        "Bad Request: private chat not found",
        "Bad Request: user not found",
        "Bad Request: group chat was upgraded to a supergroup chat",
        "Bad Request: PEER_ID_INVALID",
        "Bad Request: CHANNEL_PRIVATE",
    ] {
        assert_eq!(bad_request(gone), SendResult::Unsubscribed, "{gone}");
    }
    for wrong in [
        "",
        "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0",
        "Bad Request: message is too long",
        "Bad Request: message text is empty",
        "Bad Request: not enough rights to send text messages to the chat",
        "Bad Request: need administrator rights in the channel chat",
        "Bad Request: CHAT_WRITE_FORBIDDEN",
        "Bad Request: TOPIC_CLOSED",
    ] {
        assert_eq!(bad_request(wrong), SendResult::Rejected, "{wrong}");
    }
}

#[test]
fn the_wait_is_the_bot_apis_or_the_headers() {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "9".parse().expect("a value"))]);
    let wait = |code, response: Option<&BotResponse>| classify(status(code), &headers, response, Millis(0)).0;
    let asked = |seconds| SendResult::Overloaded { retry_after: Some(Duration::from_secs(seconds)) };
    let response = BotResponse { retry_after: Some(Duration::from_secs(3)), ..refusal(429, "") };
    assert_eq!(wait(429, Some(&response)), asked(3));
    assert_eq!(wait(200, Some(&response)), asked(3));
    assert_eq!(wait(429, Some(&refusal(429, ""))), asked(9));
    assert_eq!(wait(503, None), asked(9));
}
