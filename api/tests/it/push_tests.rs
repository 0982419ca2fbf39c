//! `POST /api/push/test`: a browser that shows its keys is sent one notification, and no other browser gets any.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use channels::web_push::VapidKeys;
use domain::{
    id::EventId,
    notification::{NOTIFICATION_EVENT_TYPE, Notification, push_lane},
};
use entity::{delivery, event, push_subscription};
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{Answer, TestApi},
};

const SUBSCRIBE: &str = "/api/push/subscribe";
const TEST: &str = "/api/push/test";
const ENDPOINT: &str = "https://push.example.org/wpush/v2/secret-path";
const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: &str = "correct-horse-battery";
/// The keys of RFC 8291, appendix A.
const VAPID: &[(&str, &str)] = &[
    ("VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
    (
        "VAPID_PUBLIC_KEY",
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
    ),
    ("VAPID_EMAIL", "push@example.org"),
    ("PUSH_SERVICES", "push.example.org,*.test"),
];

/// What a browser sends, with keys of its own.
fn subscription(endpoint: &str) -> Value {
    let auth = BASE64_URL_SAFE_NO_PAD.encode(EventId::new().0.as_bytes());
    json!({"endpoint": endpoint, "keys": {"p256dh": VapidKeys::generate().1, "auth": auth}})
}

#[track_caller]
fn success(answer: &Answer) -> bool {
    let reply = answer.json();
    assert_eq!((answer.status, reply.as_object().map(serde_json::Map::len)), (200, Some(1)), "{answer:?}");
    reply["success"].as_bool().expect("true or false")
}

/// The sentence of a refusal.
#[track_caller]
fn reply(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()["detail"].as_str().expect("a sentence").to_owned()
}

on_both_databases! {
    with VAPID;

    async fn a_browser_with_its_keys_gets_one_test_notification(api: TestApi) {
        let (mine, other) = (subscription(ENDPOINT), subscription("https://push.example.org/another"));
        for body in [&mine, &other] {
            assert!(success(&api.post_json(SUBSCRIBE, body).await));
        }
        assert!(success(&api.post_json(TEST, &mine).await));
        let (reader, all) = (api.context.database.reader(), push_subscription::Entity::find());
        let rows = all.all(reader).await.expect("subscriptions");
        let row = rows.iter().find(|row| row.endpoint == ENDPOINT).expect("mine");
        let [event] = &event::Entity::find().all(reader).await.expect("events")[..] else { panic!("one event") };
        assert_eq!((event.event_type.as_str(), event.user_id), (NOTIFICATION_EVENT_TYPE, None));
        let reply = Notification::from_event_body(&event.body).expect("a notification");
        assert!(reply.title.is_some() && !reply.message.is_empty() && reply.url.is_none());
        let [delivery] = &delivery::Entity::find().all(reader).await.expect("deliveries")[..] else { panic!("one") };
        assert_eq!((delivery.event_id, delivery.recipient_id, delivery.channel.as_str()), (event.id, row.id, "web_push"));
        assert_eq!((delivery.lane_id, delivery.user_id), (push_lane("https://push.example.org").0, None));
        assert_eq!((delivery.lease_until, api.count("broadcast").await), (0, 0), "a claim takes it");
    }

    async fn a_test_without_matching_keys_fails_and_sends_nothing(api: TestApi) {
        let mine = subscription(ENDPOINT);
        assert!(!success(&api.post_json(TEST, &mine).await), "not stored yet");
        assert!(success(&api.post_json(SUBSCRIBE, &mine).await));
        let stranger = subscription(ENDPOINT);
        let half = |key: &str| {
            let mut half = mine.clone();
            half["keys"][key] = stranger["keys"][key].clone();
            half
        };
        for wrong in [stranger.clone(), half("auth"), half("p256dh"), subscription("https://push.example.org/x")] {
            assert!(!success(&api.post_json(TEST, &wrong).await), "{wrong}");
        }
        assert!(success(&api.post_json("/api/push/unsubscribe", &mine).await));
        assert!(!success(&api.post_json(TEST, &mine).await), "not stored any more");
        assert_eq!((api.count("event").await, api.count("delivery").await), (0, 0));
    }

    async fn concurrent_tests_are_one_delivery_each(api: TestApi) {
        let bodies: Vec<_> = (0..20).map(|n| subscription(&format!("https://p{}.test/{n}", n % 3))).collect();
        for body in &bodies {
            assert!(success(&api.post_json(SUBSCRIBE, body).await));
        }
        let answers = join_all(bodies.iter().map(|body| api.post_json(TEST, body))).await;
        assert!(answers.iter().all(success));
        assert_eq!((api.count("event").await, api.count("delivery").await), (20, 20));
    }
}

#[tokio::test]
async fn a_test_validates_like_a_subscribe() {
    let api = TestApi::with(VAPID).await;
    for body in ["", "[]", "{}", r#"{"endpoint":"https://a.example/x","keys":{"p256dh":"x","auth":"x"}}"#] {
        let answers = [TEST, SUBSCRIBE].map(|path| api.send("POST", path, &[JSON], body.as_bytes()));
        let [test, subscribe] = join_all(answers).await.try_into().expect("two");
        assert_eq!((test.status, test.text()), (422, subscribe.text()), "{body}");
    }
    let unset = TestApi::start().await;
    let answer = unset.post_json(TEST, &subscription(ENDPOINT)).await;
    assert!(reply(&answer, 501).contains("VAPID_PRIVATE_KEY"), "{answer:?}");
}

#[tokio::test]
async fn test_notifications_are_rate_limited_except_with_the_key() {
    let api = TestApi::with(&[VAPID, &[("ADMIN_API_KEY", KEY)]].concat()).await;
    let mine = subscription(ENDPOINT);
    assert!(success(&api.post_json(SUBSCRIBE, &mine).await));
    for _ in 0..10 {
        assert!(success(&api.post_json(TEST, &mine).await));
    }
    let answer = api.post_json(TEST, &mine).await;
    assert!(reply(&answer, 429).contains("try again"), "{answer:?}");
    assert!(answer.header("retry-after").is_some_and(|seconds| ["5", "6"].contains(&seconds)), "{answer:?}");
    assert_eq!(api.count("delivery").await, 10);
    let keyed = [("x-api-key", KEY), JSON];
    assert!(success(&api.send("POST", TEST, &keyed, mine.to_string().as_bytes()).await));
    assert!(success(&api.post_json(SUBSCRIBE, &mine).await), "what is cheap is not counted with it");
    api.context.clock.forward(Duration::from_secs(6));
    assert!(success(&api.post_json(TEST, &mine).await));
    reply(&api.post_json(TEST, &mine).await, 429);
}
