//! `POST` and `GET /v1/endpoints`: every member at its bound and one over, the shape of the answer, the list.

use domain::id::{EndpointId, UserId};
use entity::{
    endpoint::{pause, queries, queries::Filter, view},
    scope::Scope,
};
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{Answer, TestApi, UPLOAD_FILE},
};

const ENDPOINTS: &str = "/v1/endpoints";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn valid() -> Value {
    json!({"user_id": 1, "url": "https://hooks.test/in", "event_types": ["upload file"]})
}

pub fn with(field: &str, value: Value) -> Value {
    let mut body = valid();
    body[field] = value;
    body
}

impl TestApi {
    /// Creates an endpoint from this body and returns the response.
    pub async fn endpoint(&self, body: &Value) -> Value {
        let answer = self.post_json(ENDPOINTS, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// The same; returns its path.
    pub async fn endpoint_path(&self, body: &Value) -> String {
        format!("{ENDPOINTS}/{}", self.endpoint(body).await["id"].as_str().expect("an id"))
    }
}

/// The fields that a 422 names.
pub fn faults(answer: &Answer) -> Vec<String> {
    let reply = answer.problem(422, "validation_failed");
    let errors = reply["errors"].as_array().expect("errors").clone();
    errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect()
}

/// `id`, `created_at` and `updated_at` differ each time.
fn steady(mut reply: Value) -> Value {
    for field in ["id", "created_at", "updated_at"] {
        assert!(reply[field].is_string(), "{field} in {reply}");
        reply[field] = json!(field);
    }
    reply
}

on_both_databases! {
    async fn an_ed25519_key_is_used_once_requested(api: TestApi) {
        let made = api.endpoint(&with("signing", json!("ed25519"))).await;
        let public = made["public_key"].as_str().expect("a key").to_owned();
        assert_eq!((&made["signing"], public.starts_with("whpk_")), (&json!("ed25519"), true));
        assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "both kinds sign");
        assert!(!made.to_string().contains("whsk_"), "the private half stays");
        let path = format!("{ENDPOINTS}/{}", made["id"].as_str().expect("an id"));
        assert_eq!(api.get(&format!("{path}/secret")).await.json()["public_key"], json!(public));

        let same = api.patch(&path, &json!({"signing": "ed25519"})).await.json();
        assert_eq!(same["public_key"], json!(public), "asked again, the key stays");
        let without = api.patch(&path, &json!({"signing": "hmac"})).await.json();
        assert_eq!((&without["signing"], &without["public_key"]), (&json!("hmac"), &Value::Null));
        let again = api.patch(&path, &json!({"signing": "ed25519"})).await.json();
        assert_ne!(again["public_key"], json!(public));
        assert_eq!(api.get(&format!("{path}/secret")).await.json()["secret"], made["secret"]);
        for wrong in [json!("rsa"), json!(1)] {
            assert_eq!(faults(&api.post_json(ENDPOINTS, &with("signing", wrong.clone())).await), ["signing"]);
            assert_eq!(faults(&api.patch(&path, &json!({"signing": wrong})).await), ["signing"]);
        }
        assert_eq!(faults(&api.patch(&path, &json!({"signing": null})).await), ["signing"]);
    }

    async fn an_endpoint_is_created_and_returned_with_all_members(api: TestApi) {
        let body = json!({
            "user_id": 7, "url": "https://hooks.test/in", "event_types": ["upload file", "endpoint.disabled", UPLOAD_FILE],
            "description": "Books", "custom_headers": {"Authorization": "Bearer open sesame"},
            "custom_payload": {"tenant": 1.50}, "secret": SECRET, "rate_limit": 5, "max_in_flight": 2,
            "timeout_ms": 1000, "retry_schedule": [1, 604_800], "metadata": {"team": {"b": 1, "a": [null]}},
        });
        let answer = api.post_json(ENDPOINTS, &body).await;
        assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
        let made = answer.json();
        let shape = "{\"id\":\"id\",\"user_id\":7,\"url\":\"https://hooks.test/in\",\
            \"event_types\":[\"endpoint.disabled\",\"upload file\"],\"description\":\"Books\",\
            \"custom_headers\":{\"authorization\":\"••••••••\"},\"custom_payload\":{\"tenant\":1.5},\
            \"rate_limit\":5,\"max_in_flight\":2,\"timeout_ms\":1000,\"retry_schedule\":[1,604800],\
            \"metadata\":{\"team\":{\"b\":1,\"a\":[null]}},\"state\":\"active\",\"disabled_reason\":null,\
            \"breaker\":\"closed\",\"signing\":\"hmac\",\"public_key\":null,\"created_at\":\"created_at\",\"updated_at\":\"updated_at\",\
            \"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}";
        assert_eq!(steady(made.clone()).to_string(), shape);
        assert_eq!(made["created_at"], made["updated_at"]);
        let path = format!("{ENDPOINTS}/{}", made["id"].as_str().expect("an id"));
        let mut shown = api.get(&path).await.json();
        assert_eq!(shown["secret"], Value::Null, "the secret is shown once");
        shown["secret"] = made["secret"].clone();
        assert_eq!(shown, made);
        assert_eq!(api.get(&format!("{path}/secret")).await.json()["secret"], SECRET);
    }

    async fn an_endpoint_needs_little_and_has_defaults(api: TestApi) {
        let reply = api.endpoint(&valid()).await;
        for (field, default) in [
            ("description", json!("")), ("custom_headers", json!({})), ("custom_payload", json!(null)),
            ("rate_limit", json!(null)), ("max_in_flight", json!(null)), ("timeout_ms", json!(null)),
            ("retry_schedule", json!(null)), ("metadata", json!(null)),
        ] {
            assert_eq!(reply[field], default, "{field}");
        }
        assert!(reply["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
        let other = api.endpoint(&valid()).await;
        assert_ne!(reply["secret"], other["secret"]);
        let registered = api.webhook().await;
        let shown = api.get(&format!("{ENDPOINTS}/{registered}")).await.json();
        assert_eq!((&shown["event_types"], &shown["state"]), (&json!(["upload file"]), &json!("active")));
    }

    async fn unknown_event_types_are_reported_by_index(api: TestApi) {
        let asked = json!(["upload file", "nowhere", "441a53ea-93d1-4a87-9b99-ac20616458c3"]);
        let mut body = with("event_types", asked);
        body["timeout_ms"] = json!(999);
        body["colour"] = json!("red");
        let answer = api.post_json(ENDPOINTS, &body).await;
        assert_eq!(faults(&answer), ["event_types[1]", "event_types[2]", "timeout_ms", "colour"]);
        for table in ["lane", "endpoint", "endpoint_event_type"] {
            assert_eq!(api.count(table).await, 0, "{table}");
        }
    }

    async fn the_event_type_for_disabled_endpoints_is_created_once_on_first_use(api: TestApi) {
        assert_eq!(api.count("event_type").await, 2);
        let body = with("event_types", json!(["endpoint.disabled"]));
        let made = (0..4).map(|_| api.post_json(ENDPOINTS, &body));
        for answer in futures_util::future::join_all(made).await {
            assert_eq!(answer.status, 201, "{answer:?}");
        }
        assert_eq!((api.count("event_type").await, api.count("endpoint_event_type").await), (3, 4));
    }

    async fn endpoints_are_listed_newest_first_and_filtered(api: TestApi) {
        let mut ids = Vec::new();
        for user in [1, 2, 1, 1, 2] {
            ids.push(api.endpoint(&with("user_id", json!(user))).await["id"].as_str().expect("an id").to_owned());
        }
        api.post(&format!("{ENDPOINTS}/{}/pause", ids[2])).await;
        api.delete(&format!("{ENDPOINTS}/{}", ids[3])).await;
        let listed = async |query: &str| {
            let (mut seen, mut path) = (Vec::new(), format!("{ENDPOINTS}?limit=1{query}"));
            loop {
                let page = api.get(&path).await.json();
                for row in page["data"].as_array().expect("rows") {
                    assert!(row["secret"].is_null() && row["event_types"] == json!(["upload file"]), "{row}");
                    seen.push(row["id"].as_str().expect("an id").to_owned());
                }
                let Some(cursor) = page["next_cursor"].as_str() else { break seen };
                path = format!("{ENDPOINTS}?limit=1{query}&cursor={cursor}");
            }
        };
        let of = |indexes: &[usize]| indexes.iter().map(|index| ids[*index].clone()).collect::<Vec<_>>();
        assert_eq!(listed("").await, of(&[4, 2, 1, 0]));
        assert_eq!(listed("&user_id=1").await, of(&[2, 0]));
        assert_eq!(listed("&state=paused").await, of(&[2]));
        assert_eq!(listed("&user_id=1&state=active").await, of(&[0]));
        assert_eq!(listed("&state=disabled").await, of(&[]));
        for (query, field) in [
            ("state=deleted", "state"), ("state=x", "state"), ("user_id=x", "user_id"), ("cursor=x", "cursor"),
            ("limit=0", "limit"), ("limit=1001", "limit"), ("colour=red", "colour"),
        ] {
            assert_eq!(faults(&api.get(&format!("{ENDPOINTS}?{query}")).await), [field], "{query}");
        }
        assert_eq!(api.get(&format!("{ENDPOINTS}?limit=1000")).await.status, 200);
    }

    async fn another_users_endpoint_is_neither_visible_nor_locked(api: TestApi) {
        let made = api.endpoint(&with("user_id", json!(1))).await;
        let id: EndpointId = made["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let (database, clock) = (&api.context.database, &api.context.clock);
        for (scope, sees) in
            [(Scope::User(UserId(1)), true), (Scope::User(UserId(2)), false), (Scope::Everyone, true)]
        {
            let filter = Filter { user: Some(UserId(1)), ..Filter::default() };
            let page = view::page(database, clock, scope, filter, 10).await.expect("a page");
            assert_eq!(page.len(), usize::from(sees), "{scope:?}");
            assert_eq!(queries::find(database, scope, id).await.expect("read").is_some(), sees);
            assert_eq!(view::find(database, clock, scope, id).await.expect("read").is_some(), sees);
            let locked = pause::pause(database, clock, scope, id).await.expect("a lock and a read");
            assert_eq!(locked.is_some(), sees);
        }
    }
}

#[tokio::test]
async fn every_member_is_validated_at_its_bound() {
    let api = TestApi::with(&[("ALLOW_NETWORKS", "none")]).await;
    let object = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
    let headers = |count: usize| (0..count).map(|i| (format!("x-{i}"), json!("v"))).collect::<Value>();
    let types = |count: usize| json!(vec!["upload file"; count]);
    let taken: &[(&str, Value)] = &[
        ("url", json!(format!("https://a.test/{}", "x".repeat(2_033)))),
        ("user_id", json!(i64::MIN)),
        ("event_types", types(100)),
        ("description", json!("ä".repeat(1_024))),
        ("custom_headers", headers(32)),
        ("custom_payload", object(16_384)),
        ("metadata", object(16_384)),
        ("rate_limit", json!(1)),
        ("rate_limit", json!(10_000)),
        ("max_in_flight", json!(1)),
        ("max_in_flight", json!(10_000)),
        ("timeout_ms", json!(1_000)),
        ("timeout_ms", json!(60_000)),
        ("retry_schedule", json!([0])),
        ("retry_schedule", json!(vec![604_800; 20])),
        ("secret", json!(null)),
        ("retry_schedule", json!(null)),
    ];
    for (field, value) in taken {
        api.endpoint(&with(field, value.clone())).await;
    }
    let refused: &[(&str, Value)] = &[
        ("url", json!(format!("https://a.test/{}", "x".repeat(2_034)))),
        ("url", json!("http://127.0.0.1/")),
        ("url", json!("ftp://a.test/")),
        ("url", json!(null)),
        ("user_id", json!(u64::MAX)),
        ("user_id", json!("1")),
        ("user_id", json!(null)),
        ("event_types", types(101)),
        ("event_types", json!([])),
        ("event_types", json!("upload file")),
        ("event_types", json!([1])),
        ("event_types", json!(["a\u{1}"])),
        ("event_types", json!(null)),
        ("description", json!("ä".repeat(1_025))),
        ("description", json!("a\0b")),
        ("custom_headers", headers(33)),
        ("custom_headers", json!({"webhook-id": "x"})),
        ("custom_headers", json!({"authorization": "••••••••"})),
        ("custom_payload", object(16_385)),
        ("custom_payload", json!([])),
        ("metadata", object(16_385)),
        ("metadata", json!("x")),
        ("rate_limit", json!(0)),
        ("rate_limit", json!(10_001)),
        ("rate_limit", json!(1.5)),
        ("max_in_flight", json!(0)),
        ("max_in_flight", json!(10_001)),
        ("timeout_ms", json!(999)),
        ("timeout_ms", json!(60_001)),
        ("timeout_ms", json!(i64::MAX)),
        ("retry_schedule", json!([])),
        ("retry_schedule", json!(vec![1; 21])),
        ("retry_schedule", json!([604_801])),
        ("retry_schedule", json!([-1])),
        ("retry_schedule", json!([0.5])),
        ("retry_schedule", json!([u64::MAX])),
        ("secret", json!("whsec_short")),
        ("secret", json!("")),
        ("state", json!("disabled")),
    ];
    let before = api.count("endpoint").await;
    for (field, value) in refused {
        let answer = api.post_json(ENDPOINTS, &with(field, value.clone())).await;
        assert_eq!(faults(&answer), [*field], "{value}");
    }
    assert_eq!(api.count("endpoint").await, before);
}

#[tokio::test]
async fn all_errors_of_a_body_are_reported_without_secrets() {
    let api = TestApi::start().await;
    let answer = api.post_json(ENDPOINTS, &json!({})).await;
    assert_eq!(faults(&answer), ["user_id", "url", "event_types"]);
    let bad = json!({
        "user_id": "x", "url": "x", "event_types": [], "custom_headers": {"a": "geheim\n"}, "custom_payload": 1,
        "secret": "whsec_geheim", "description": 1, "rate_limit": 0, "max_in_flight": 0, "timeout_ms": 0,
        "retry_schedule": 0, "metadata": 0, "unknown": 0,
    });
    let answer = api.post_json(ENDPOINTS, &bad).await;
    assert_eq!(faults(&answer).len(), 13, "{answer:?}");
    assert!(!answer.text().contains("geheim"), "{answer:?}");
    assert_eq!(faults(&api.post_json(ENDPOINTS, &json!([])).await), ["body"]);
    let json = [("content-type", "application/json")];
    api.send("POST", ENDPOINTS, &json, b"{").await.problem(400, "json_invalid");
    let large = vec![b' '; 256 * 1_024 + 1];
    api.send("POST", ENDPOINTS, &json, &large).await.problem(413, "payload_too_large");
    api.send("POST", ENDPOINTS, &[], b"{}").await.problem(415, "unsupported_media_type");
}
