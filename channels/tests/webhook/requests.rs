//! The request on the wire, and its report.

use channels::outbound::USER_AGENT;
use serde_json::{Value, json};

use super::*;
use crate::suite::receiver::{Receiver, answer};

fn custom(value: &Value) -> CustomHeaders {
    CustomHeaders::parse(value).expect("valid headers")
}

#[tokio::test]
async fn the_body_arrives_byte_for_byte() {
    let receiver = Receiver::answering(answer("200 OK", "", b"")).await;
    let target = target(receiver.url());
    let body = Bytes::from_static(b"{ \"n\": 12345678901234567890123, \"s\": \"\xc3\xa4\" }\n");
    let request = WebhookRequest { body: body.clone(), ..request(&target, PATIENT) };
    let id = request.event_id.to_string();

    sender().send(request).await;

    let [received] = receiver.received().try_into().expect("one request");
    assert_eq!(received.body, body);
    assert!(received.head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "the fragment stays here");
    assert_eq!(received.header("content-type"), ["application/json"]);
    assert_eq!(received.header("user-agent"), [USER_AGENT]);
    assert_eq!(received.header("webhook-id"), [id.as_str()]);
    assert_eq!(received.header("webhook-timestamp"), ["1700000000"]);
    assert!(received.header("accept-encoding").is_empty());
}

#[tokio::test]
async fn custom_headers_are_sent_and_recorded_without_their_values() {
    let receiver = Receiver::answering(answer("200 OK", "", b"")).await;
    let headers = custom(&json!({
        "Content-Type": "application/vnd.api+json", "Authorization": "Bearer yourtokenhere",
        "Cookie": "a=b", "X-Api-Key": "key", "X-Any": "thing", "User-Agent": "mine",
    }));
    let target = WebhookTarget::new(receiver.url(), &headers, SigningSecret::generate().into());
    let report = sender().send(request(&target, PATIENT)).await;

    let [received] = receiver.received().try_into().expect("one request");
    assert_eq!(received.header("content-type"), ["application/vnd.api+json"]);
    assert_eq!(received.header("authorization"), ["Bearer yourtokenhere"]);
    assert_eq!(received.header("user-agent"), ["mine"]);
    let recorded: Value = serde_json::from_str(report.request_headers.as_json()).expect("JSON");
    assert_eq!(recorded["content-type"], "application/vnd.api+json");
    for name in ["authorization", "cookie", "x-api-key", "x-any", "user-agent"] {
        assert_eq!(recorded[name], "…", "{name}");
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert_eq!(recorded[name], received.header(name)[0]);
    }
    assert!(!format!("{report:?}").contains("yourtokenhere"));
}

#[tokio::test]
async fn what_can_not_be_sent_is_reported_as_unreadable() {
    let report = SendReport::unreadable("the secret does not open");
    assert_eq!(report.result, domain::delivery::SendResult::Unreadable);
    assert_eq!(report.request_headers.as_json(), "{}");
}
