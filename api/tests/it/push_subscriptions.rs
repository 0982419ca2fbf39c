//! `/api/push/…`: who may subscribe, what a subscription says, and that an endpoint is one subscription.

mod bounds;

use std::time::Duration;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use channels::web_push::VapidKeys;
use domain::{id::EventId, notification::push_lane};
use entity::{lane, push_subscription};
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{Answer, TestApi},
};

const SUBSCRIBE: &str = "/api/push/subscribe";
const UNSUBSCRIBE: &str = "/api/push/unsubscribe";
const ENDPOINT: &str = "https://push.example.org/wpush/v2/gAAAA-secret-path";

/// Web push is set: the keys of RFC 8291, appendix A.
const PUBLIC: &str =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const VAPID: &[(&str, &str)] = &[
    ("VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
    ("VAPID_PUBLIC_KEY", PUBLIC),
    ("VAPID_EMAIL", "push@example.org"),
    ("PUSH_SERVICES", "push.example.org,*.test"),
];

async fn app(more: &[(&str, &str)]) -> TestApi {
    TestApi::with(&[VAPID, more].concat()).await
}

/// A browser's public key.
fn point() -> String {
    VapidKeys::generate().1
}

/// What a browser sends, with keys of its own.
fn subscription(endpoint: &str) -> Value {
    let auth = BASE64_URL_SAFE_NO_PAD.encode(EventId::new().0.as_bytes());
    json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": point(), "auth": auth}})
}

async fn done(api: &TestApi, path: &str, body: &Value) -> bool {
    let answer = api.post_json(path, body).await;
    let reply = answer.json();
    assert_eq!((answer.status, reply.as_object().map(serde_json::Map::len)), (200, Some(1)), "{answer:?}");
    reply["success"].as_bool().expect("true or false")
}

async fn stored(api: &TestApi) -> Vec<push_subscription::Model> {
    push_subscription::Entity::find().all(api.context.database.reader()).await.expect("rows")
}

/// The places and kinds of the faults; none of them repeats what was sent.
#[track_caller]
fn faults(answer: &Answer, body: &Value) -> Vec<String> {
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(!answer.text().contains("secret-path"), "{answer:?}");
    if let Some(auth) = body["keys"]["auth"].as_str().filter(|auth| !auth.is_empty()) {
        assert!(!answer.text().contains(auth), "{answer:?}");
    }
    let reply = answer.json();
    assert_eq!(reply.as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
    let faults = reply["detail"].as_array().expect("a list").iter().map(|fault| {
        assert!(
            fault["msg"].is_string() && fault.as_object().map(serde_json::Map::len) == Some(3),
            "{fault}"
        );
        let place: Vec<_> =
            fault["loc"].as_array().expect("a place").iter().filter_map(Value::as_str).collect();
        format!("{} {}", place.join("."), fault["type"].as_str().expect("a kind"))
    });
    faults.collect()
}

on_both_databases! {
    with VAPID;

    async fn keys_may_be_written_in_either_base64(api: TestApi) {
        let (auth, point) = ([0xfb; 16], BASE64_URL_SAFE_NO_PAD.decode(point()).expect("base64url"));
        let written = [
            (BASE64_STANDARD.encode(auth), BASE64_STANDARD.encode(&point)),
            (BASE64_STANDARD_NO_PAD.encode(auth), BASE64_STANDARD_NO_PAD.encode(&point)),
            (BASE64_URL_SAFE.encode(auth), BASE64_URL_SAFE.encode(&point)),
        ];
        for (auth, p256dh) in written {
            let body = json!({"endpoint": ENDPOINT, "keys": {"p256dh": p256dh, "auth": auth}});
            assert!(done(&api, SUBSCRIBE, &body).await, "{body}");
            let row = stored(&api).await.pop().expect("a row");
            assert_eq!(row.p256dh, point);
        }
    }

    async fn a_browser_subscribes_renews_its_keys_and_unsubscribes(api: TestApi) {
        let first = subscription(ENDPOINT);
        let mut with_user = first.clone();
        with_user["user_id"] = json!(7);
        assert!(done(&api, SUBSCRIBE, &with_user).await);
        let rows = stored(&api).await;
        let row = &rows[0];
        assert_eq!((row.endpoint.as_str(), row.user_id, row.created_at), (ENDPOINT, Some(7), row.updated_at));
        let lane_id = push_lane("https://push.example.org").0;
        assert_eq!(row.lane_id, lane_id);
        let lane = lane::Entity::find_by_id(lane_id).one(api.context.database.reader()).await.expect("a read");
        let lane = lane.expect("the lane of the push service");
        assert_eq!((lane.channel.as_str(), lane.state.as_str()), ("web_push", "active"));

        api.context.clock.forward(Duration::from_secs(5));
        let again = subscription(ENDPOINT);
        assert!(done(&api, SUBSCRIBE, &again).await);
        let now = stored(&api).await;
        assert_eq!((now.len(), now[0].id, now[0].created_at), (1, row.id, row.created_at));
        assert_eq!(now[0].user_id, Some(7), "what is left out stays");
        assert!(now[0].updated_at >= row.updated_at + 5_000 && now[0].auth != row.auth && now[0].p256dh != row.p256dh);

        let mut half = again.clone();
        half["keys"]["p256dh"] = first["keys"]["p256dh"].clone();
        for wrong in [&first, &half, &subscription(ENDPOINT), &subscription("https://push.example.org/other")] {
            assert!(!done(&api, UNSUBSCRIBE, wrong).await, "{wrong}");
        }
        assert_eq!(stored(&api).await, now, "knowing the endpoint is not enough");
        assert!(done(&api, UNSUBSCRIBE, &again).await);
        assert!(!done(&api, UNSUBSCRIBE, &again).await);
        assert_eq!((api.count("push_subscription").await, api.count("lane").await), (0, 1));
    }

    async fn a_hundred_concurrent_subscribes_are_one_subscription(api: TestApi) {
        let bodies: Vec<_> = (0..100).map(|_| subscription(ENDPOINT)).collect();
        let all = join_all(bodies.iter().map(|body| done(&api, SUBSCRIBE, body))).await;
        assert!(all.into_iter().all(|success| success));
        let rows = stored(&api).await;
        assert_eq!((rows.len(), api.count("lane").await), (1, 1));
        let auth = BASE64_URL_SAFE_NO_PAD.encode(&rows[0].auth);
        let p256dh = BASE64_URL_SAFE_NO_PAD.encode(&rows[0].p256dh);
        let whole = |body: &&Value| body["keys"]["auth"] == json!(auth) && body["keys"]["p256dh"] == json!(p256dh);
        assert_eq!(bodies.iter().filter(whole).count(), 1, "the keys are those of one of them");
    }

    async fn concurrent_subscribes_do_not_deadlock(api: TestApi) {
        let bodies: Vec<_> = (0..60).map(|n| subscription(&format!("https://p{}.test/{}", n % 3, n % 20))).collect();
        let all = join_all(bodies.iter().map(|body| done(&api, SUBSCRIBE, body))).await;
        assert!(all.into_iter().all(|success| success));
        assert_eq!((api.count("push_subscription").await, api.count("lane").await), (60, 1), "one for all that have taken no message");
    }
}

#[tokio::test]
async fn every_member_is_validated_and_all_errors_are_reported() {
    let api = app(&[("ALLOW_NETWORKS", "127.0.0.0/8")]).await;
    let good = subscription(ENDPOINT);
    let with = |at: &str, value: Value| {
        let mut body = good.clone();
        match at.strip_prefix("keys.") {
            Some(key) => body["keys"][key] = value,
            None => body[at] = value,
        }
        body
    };
    let long = |length: usize| json!(format!("https://a.test/{}", "p".repeat(length - 15)));
    let padded = BASE64_URL_SAFE.encode([7; 16]);
    for body in [
        with("endpoint", long(2_048)),
        with("endpoint", json!("http://127.0.0.1:8080/x")),
        with("endpoint", json!("https://127.9.9.9/x")),
        with("keys.auth", json!(padded)),
        with("keys.p256dh", json!(format!("{}=", point()))),
        with("user_id", json!(i64::MIN)),
        with("user_id", json!(null)),
        with("colour", json!("ignored")),
    ] {
        assert!(done(&api, SUBSCRIBE, &body).await, "{body}");
    }
    let off_curve = BASE64_URL_SAFE_NO_PAD.encode([&[4_u8][..], &[1; 64]].concat());
    let short = BASE64_URL_SAFE_NO_PAD.encode([7; 15]);
    let long_auth = BASE64_URL_SAFE_NO_PAD.encode([7; 17]);
    for (at, bad, kind) in [
        ("endpoint", json!(null), "missing"),
        ("endpoint", json!(1), "string_type"),
        ("endpoint", long(2_049), "value_error"),
        ("endpoint", json!("/secret-path"), "value_error"),
        ("endpoint", json!("http://push.example.org/secret-path"), "value_error"),
        ("endpoint", json!("http://8.8.8.8/secret-path"), "value_error"),
        ("endpoint", json!("http://localhost/secret-path"), "value_error"),
        ("endpoint", json!("http://10.0.0.1/secret-path"), "value_error"),
        ("endpoint", json!("https://10.0.0.1/secret-path"), "value_error"),
        ("endpoint", json!("https://[::1]/secret-path"), "value_error"),
        ("endpoint", json!("https://user@push.test/secret-path"), "value_error"),
        ("endpoint", json!("https://push.test/secret-path\0"), "value_error"),
        ("keys", json!(null), "missing"),
        ("keys", json!("x"), "value_error"),
        ("keys.p256dh", json!(null), "missing"),
        ("keys.p256dh", json!(off_curve), "value_error"),
        ("keys.p256dh", json!(short), "value_error"),
        ("keys.p256dh", json!("not base64!"), "value_error"),
        ("keys.auth", json!(null), "missing"),
        ("keys.auth", json!(7), "string_type"),
        ("keys.auth", json!(short), "value_error"),
        ("keys.auth", json!(long_auth), "value_error"),
        ("user_id", json!("7"), "int_parsing"),
        ("user_id", json!(1.5), "int_parsing"),
    ] {
        let body = with(at, bad);
        let answer = api.post_json(SUBSCRIBE, &body).await;
        assert_eq!(faults(&answer, &body), [format!("body.{at} {kind}")], "{body}");
    }
    let body = json!({"endpoint": 1, "keys": {"p256dh": "", "auth": ""}, "user_id": "x"});
    let all = [
        "body.endpoint string_type",
        "body.keys.p256dh value_error",
        "body.keys.auth value_error",
        "body.user_id int_parsing",
    ];
    for path in [SUBSCRIBE, UNSUBSCRIBE] {
        assert_eq!(faults(&api.post_json(path, &body).await, &body), all);
        let json = [("content-type", "application/json")];
        let broken = api.send("POST", path, &json, b"{").await;
        assert_eq!(faults(&broken, &json!({})), ["body json_invalid"]);
        assert_eq!(faults(&api.post_json(path, &json!([])).await, &json!({})), ["body value_error"]);
        assert_eq!(api.send("POST", path, &[], b"{}").await.status, 415);
        assert_eq!(api.send("POST", path, &json, &[b' '; 16 * 1_024 + 1]).await.status, 413);
    }
    assert_eq!(api.count("push_subscription").await, 4);
}

#[tokio::test]
async fn the_vapid_key_is_public_and_501_without_one() {
    let bare = TestApi::start().await;
    let body = subscription(ENDPOINT);
    for answer in [
        bare.get("/api/push/vapid-key").await,
        bare.post_json(SUBSCRIBE, &body).await,
        bare.post_json(UNSUBSCRIBE, &body).await,
        bare.post_json(SUBSCRIBE, &json!({})).await,
    ] {
        assert_eq!(answer.status, 501, "{answer:?}");
        assert!(
            answer.json()["detail"].as_str().is_some_and(|reply| reply.contains("VAPID_PRIVATE_KEY")),
            "{answer:?}"
        );
    }
    let api = app(&[]).await;
    let answer = api.get("/api/push/vapid-key").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "publicKey": PUBLIC })));
}

#[tokio::test]
async fn subscribing_and_unsubscribing_need_no_api_key() {
    let api = app(&[("ADMIN_API_KEY", "correct-horse-battery")]).await;
    let body = subscription(ENDPOINT);
    assert!(done(&api, SUBSCRIBE, &body).await);
    assert_eq!(api.get("/api/push/vapid-key").await.status, 200);
    assert!(done(&api, UNSUBSCRIBE, &body).await);
}
