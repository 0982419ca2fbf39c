//! Every class of responses of the Bot API, and responses of other servers.

use channels::outbound::USER_AGENT;
use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT, SendResult};
use testkit::{Answer, Receiver, telegram::Reply};

use super::*;

/// What a message comes to whose chat answers so.
async fn replied(reply: Reply) -> SendReport {
    let api = Telegram::start().await;
    api.reply(CHAT, [reply]);
    let report = send(&api, request(&note("hello"))).await;
    assert_eq!(api.calls().len(), 1);
    report
}

#[tokio::test]
async fn a_message_is_shown_with_its_title_in_bold_and_its_address_last() {
    let api = Telegram::start().await;
    let note = Notification {
        title: Some("R&D".to_owned()),
        url: Some("https://a.example/?x=1&y=2".to_owned()),
        ..note("1 < 2, \"quoted\"")
    };
    let report = send(&api, request(&note)).await;
    assert_eq!((report.result, report.error_class, report.error), (SendResult::Accepted, None, None));
    assert_eq!((report.status_code, report.parts_sent), (Some(200), 1));
    assert_eq!(api.texts(CHAT), ["R&D\n\n1 < 2, \"quoted\"\nhttps://a.example/?x=1&y=2"]);
    assert!(api.calls()[0].html.starts_with("<b>R&amp;D</b>\n\n1 &lt; 2"));
    let headers: serde_json::Value = serde_json::from_str(report.request_headers.as_json()).expect("JSON");
    assert_eq!(headers, serde_json::json!({"content-type": "application/json", "user-agent": USER_AGENT}));
    assert!(report.response_body.starts_with(br#"{"ok":true"#));
    assert!(report.timing.first_byte.is_some_and(|first| first <= report.timing.total));
}

#[tokio::test]
async fn chats_are_exact_numbers_or_names() {
    let api = Telegram::start().await;
    let note = note("hello");
    for chat_id in ["42", "-1001234567890", "9007199254740993", "@channel"] {
        let report = send(&api, TelegramRequest { chat_id, ..request(&note) }).await;
        assert_eq!(report.result, SendResult::Accepted);
        assert_eq!(api.texts(chat_id), ["hello"]);
    }
}

#[tokio::test]
async fn a_chat_that_is_not_there_or_has_left_is_unsubscribed() {
    let blocked = replied(Reply::BLOCKED).await;
    assert_eq!((blocked.result, blocked.error_class), (SendResult::Unsubscribed, Some(ErrorClass::Status)));
    assert_eq!(blocked.error.as_deref(), Some("answered 403: Forbidden: bot was blocked by the user"));
    for reply in [Reply::NOT_FOUND, Reply::Refuse(403, "Forbidden: user is deactivated")] {
        let report = replied(reply).await;
        assert_eq!((report.result, report.parts_sent), (SendResult::Unsubscribed, 0));
    }
}

#[tokio::test]
async fn a_message_that_is_wrong_is_rejected() {
    let report = replied(Reply::Refuse(400, "Bad Request: not enough rights to send text messages")).await;
    assert_eq!((report.result, report.error_class), (SendResult::Rejected, Some(ErrorClass::Status)));
}

#[tokio::test]
async fn an_overload_and_a_failure_are_told_apart() {
    let wait = Some(Duration::from_secs(7));
    let report = replied(Reply::TooMany(7)).await;
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait });
    for code in [502, 503, 504] {
        let report = replied(Reply::Refuse(code, "Bad Gateway")).await;
        assert_eq!(report.result, SendResult::Overloaded { retry_after: None });
    }
    let report = replied(Reply::BROKEN).await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, Some(500)));
}

#[tokio::test]
async fn a_wrong_token_fails_and_buries_nothing() {
    let api = Telegram::start().await;
    let note = note("hello");
    let report = sender("1:another", &api.api_url()).send(request(&note)).await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, Some(401)));
    assert_eq!(report.error_class, Some(ErrorClass::Status), "so that the breaker hears of it");
    let elsewhere = format!("{}/below", api.api_url());
    let report = sender(api.token(), &elsewhere).send(request(&note)).await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, Some(404)));
    assert!(api.calls().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_larger_than_what_is_kept_still_counts() {
    let api = Telegram::start().await;
    let report = send(&api, request(&note(&"ж".repeat(4_096)))).await;
    assert_eq!(
        report.response_body.len(),
        RESPONSE_BODY_KEPT,
        "the message comes back with six bytes a letter"
    );
    assert_eq!((report.result, report.parts_sent), (SendResult::Accepted, 1));
}

/// What an answer comes to of a server that need not be the Bot API.
async fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> SendReport {
    let server = Receiver::start(0).await.expect("a free port");
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    server.answer([Answer::StatusWith { status, headers, body: body.to_owned().into() }]);
    sender("1:secret", &server.url("")).send(request(&note("hello"))).await
}

#[tokio::test]
async fn a_200_counts_by_what_it_says() {
    let inside = answered(200, &[], r#"{"ok":false,"error_code":403,"description":"Forbidden"}"#).await;
    assert_eq!((inside.result, inside.status_code), (SendResult::Unsubscribed, Some(200)));
    for stranger in ["", "hello", r#"{"status":"ok"}"#] {
        let report = answered(200, &[], stranger).await;
        assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Protocol)));
        assert_eq!(report.parts_sent, 0);
    }
}

#[tokio::test]
async fn a_proxys_page_ends_nothing() {
    for status in [400, 403, 404, 418] {
        let report = answered(status, &[], "<html>no</html>").await;
        assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Status)));
    }
    let slow = answered(429, &[("retry-after", "9")], "<html>slow</html>").await;
    assert_eq!(slow.result, SendResult::Overloaded { retry_after: Some(Duration::from_secs(9)) });
    let redirect = answered(302, &[("location", "http://127.0.0.1:1/")], "").await;
    assert_eq!((redirect.result, redirect.error_class), (SendResult::Failed, Some(ErrorClass::Redirect)));
}
