//! Tests of web push alone, against a push service that checks encryption and signature.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use channels::{PushRequest, PushTarget, SendReport, VapidKeys, WebPushSender, web_push::MAX_BODY_BYTES};
use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
    id::{EventId, NoticeId},
    notification::{MAX_MESSAGE_CHARS, Notification},
};
use serde_json::{Value, json};
use testkit::{
    Answer, PushService,
    push_service::{Subscription, slow_down},
};

use crate::suite::{PATIENT, SENT_AT, outbound};

/// A sender, and the public half of its key.
fn sender() -> (WebPushSender, String) {
    let (private, public) = VapidKeys::generate();
    let keys = VapidKeys::new(&private, &public, "ops@example.com").expect("our own pair");
    (WebPushSender::with_client(outbound(), keys), public)
}

fn target(browser: &Subscription) -> PushTarget {
    PushTarget::new(&browser.endpoint(), browser.p256dh(), browser.auth()).expect("a subscription")
}

fn notification(message: &str) -> Notification {
    Notification { title: None, message: message.to_owned(), url: None, notice_id: None }
}

fn request<'a>(target: &'a PushTarget, notification: &'a Notification) -> PushRequest<'a> {
    PushRequest { event_id: EventId::new(), target, notification, deadline: PATIENT, sent_at: SENT_AT }
}

async fn send(browser: &Subscription) -> SendReport {
    sender().0.send(request(&target(browser), &notification("hello"))).await
}

async fn service() -> PushService {
    PushService::start().await.expect("a free port")
}

#[tokio::test]
async fn a_browser_reads_what_was_sent_and_its_push_service_knows_by_whom() {
    let (browser, (sender, public)) = (service().await.subscribe(), sender());
    let target = target(&browser);
    let url = Some("https://a.example/notices/1".to_owned());
    let notice_id = Some(NoticeId::new());
    let sent =
        Notification {
            title: Some("Tüte".to_owned()), url: url.clone(), notice_id, ..notification("„Hi“")
        };
    let request = request(&target, &sent);
    let event_id = request.event_id;
    let report = sender.send(request).await;

    assert_eq!((report.result, report.status_code), (SendResult::Accepted, Some(201)), "{report:?}");
    let [message] = browser.messages(SENT_AT).expect("as the RFCs ask").try_into().expect("one");
    let expected =
        json!({"title": "Tüte", "body": "„Hi“", "url": url, "notice_id": notice_id, "event_id": event_id});
    assert_eq!(message.payload, expected);
    assert_eq!((message.key, message.claims.sub), (public, "mailto:ops@example.com".to_owned()));
    let header = |name| message.call.header(name).unwrap_or_default().to_owned();
    assert_eq!((header("ttl"), header("urgency")), ("86400".to_owned(), "normal".to_owned()));
    assert_eq!(header("content-type"), "application/octet-stream");
    assert!(header("user-agent").starts_with("Hookyard/"));
}

#[tokio::test]
async fn the_report_has_all_headers_and_the_value_of_none_that_is_a_secret() {
    let browser = service().await.subscribe();
    let report = send(&browser).await;
    let [message] = browser.messages(SENT_AT).expect("as the RFCs ask").try_into().expect("one");
    let recorded: Value = serde_json::from_str(report.request_headers.as_json()).expect("JSON");
    let names =
        ["ttl", "urgency", "topic", "content-encoding", "content-type", "user-agent", "authorization"];
    assert_eq!(recorded.as_object().map(serde_json::Map::len), Some(names.len()));
    for name in names {
        let shown = if name == "authorization" { Some("…") } else { message.call.header(name) };
        assert_eq!(recorded[name].as_str(), shown, "{name}");
    }
}

#[tokio::test]
async fn a_repeated_event_has_the_topic_of_the_first_and_another_has_not() {
    let (browser, (sender, _)) = (service().await.subscribe(), sender());
    let (target, sent) = (target(&browser), notification("hello"));
    let event_id = EventId::new();
    for event_id in [event_id, event_id, EventId::new()] {
        sender.send(PushRequest { event_id, ..request(&target, &sent) }).await;
    }
    let messages = browser.messages(SENT_AT).expect("as the RFCs ask");
    let topics: Vec<_> = messages.iter().map(|one| one.call.header("topic").expect("a topic")).collect();
    assert_eq!((topics[0], topics[0].len()), (topics[1], 22));
    assert_ne!(topics[1], topics[2]);
    assert_ne!(messages[0].call.body, messages[1].call.body, "encrypted again");
}

#[tokio::test]
async fn one_signature_serves_all_browsers_of_a_push_service_and_no_other_service() {
    let (service, other, (sender, _)) = (service().await, service().await, sender());
    let browsers = [service.subscribe(), service.subscribe(), other.subscribe()];
    for browser in &browsers {
        sender.send(request(&target(browser), &notification("hello"))).await;
    }
    // Each service has checked that the signature is for itself.
    let signed = browsers.map(|browser| {
        let messages = browser.messages(SENT_AT).expect("as the RFCs ask");
        messages[0].call.header("authorization").expect("signed").to_owned()
    });
    assert_eq!(signed[0], signed[1]);
    assert_ne!(signed[1], signed[2]);
}

#[tokio::test]
async fn a_message_of_any_length_fits_a_push_service() {
    let (browser, (sender, _)) = (service().await.subscribe(), sender());
    let long = "ä\"".repeat(MAX_MESSAGE_CHARS / 2);
    let report = sender.send(request(&target(&browser), &notification(&long))).await;
    assert_eq!(report.result, SendResult::Accepted);
    let [message] = browser.messages(SENT_AT).expect("as the RFCs ask").try_into().expect("one");
    assert!((MAX_BODY_BYTES - 4..=MAX_BODY_BYTES).contains(&message.call.body.len()));
    let kept = message.payload["body"].as_str().and_then(|body| body.strip_suffix('…')).expect("cut");
    assert!(kept.len() > 2_000 && long.starts_with(kept));
}

#[tokio::test]
async fn each_answer_of_a_push_service_has_its_meaning() {
    let service = service().await;
    let wait = |seconds| SendResult::Overloaded { retry_after: Some(Duration::from_secs(seconds)) };
    let none = SendResult::Overloaded { retry_after: None };
    for (answer, result, class) in [
        (Answer::Status(404), SendResult::Unsubscribed, ErrorClass::Status),
        (Answer::Status(410), SendResult::Unsubscribed, ErrorClass::Status),
        (Answer::Status(413), SendResult::Rejected, ErrorClass::Status),
        (Answer::Status(403), SendResult::Rejected, ErrorClass::Status),
        (slow_down(70), wait(70), ErrorClass::Status),
        (Answer::Status(500), none, ErrorClass::Status),
        (Answer::Drop, SendResult::Failed, ErrorClass::Reset),
    ] {
        let browser = service.subscribe();
        browser.answer([answer.clone(), Answer::Status(201)]);
        let report = send(&browser).await;
        assert_eq!((report.result, report.error_class), (result, Some(class)), "{answer:?}");
        assert_eq!(send(&browser).await.result, SendResult::Accepted, "the next one is taken");
        assert_eq!(browser.messages(SENT_AT).expect("as the RFCs ask").len(), 2);
    }
    let gone = service.subscribe();
    gone.unsubscribe();
    assert_eq!(send(&gone).await.result, SendResult::Unsubscribed);
}

#[tokio::test]
async fn another_browser_or_a_time_that_has_passed_is_noticed_by_the_fake() {
    let service = service().await;
    let (browser, stranger) = (service.subscribe(), service.subscribe());
    let mixed = PushTarget::new(&browser.endpoint(), stranger.p256dh(), stranger.auth()).expect("valid");
    sender().0.send(request(&mixed, &notification("hello"))).await;
    assert!(browser.messages(SENT_AT).is_err(), "not made for this browser");
    send(&stranger).await;
    assert!(stranger.messages(SENT_AT).is_ok());
    let late = SENT_AT + Duration::from_secs(12 * 3_600);
    assert!(stranger.messages(late).is_err(), "the signature is no longer valid");
}

#[tokio::test]
async fn the_signature_is_valid_by_the_real_clock_too() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = Millis(i64::try_from(now.as_millis()).expect("fits"));
    let browser = service().await.subscribe();
    let sent = notification("hello");
    sender().0.send(PushRequest { sent_at: now, ..request(&target(&browser), &sent) }).await;
    assert_eq!(browser.messages(now).expect("as the RFCs ask").len(), 1);
}
