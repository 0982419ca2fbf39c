//! `/v1/events`: what is taken, what is refused and how, and what an event tells afterwards.

use std::time::Duration;

use domain::{
    clock::Millis,
    event::{MAX_DATA_BYTES, MAX_NESTING},
    id::EventTypeId,
};
use entity::{event_type, lane};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, STALL, TestApi, UPLOAD_FILE};

const TYPE: &str = "invoice.paid";
const JSON: (&str, &str) = ("content-type", "application/json");

impl TestApi {
    /// Makes an event type and returns its id.
    pub async fn event_type(&self, name: &str) -> String {
        let id = EventTypeId::new();
        let row = event_type::ActiveModel {
            id: Set(id.0),
            name: Set(name.into()),
            description: Set(String::new()),
            created_at: Set(0),
        };
        event_type::Entity::insert(row).exec(self.context.database.writer()).await.expect("an event type");
        id.to_string()
    }

    async fn webhook_of(&self, user: i64, event_type: &str) -> String {
        let body =
            json!({"event_type_id": event_type, "user_id": user, "url": "https://webhook-test.com/hook"});
        let answer = self.post_json("/webhook/register", &body).await;
        answer.json()["data"]["id"].as_str().expect("an id").to_owned()
    }

    async fn set_lane(&self, endpoint: &str, state: &str) {
        let id: Uuid = endpoint.parse().expect("an id");
        let update = lane::Entity::update_many().col_expr(lane::Column::State, Expr::value(state));
        let update = update.filter(lane::Column::Id.eq(id));
        let updated = update.exec(self.context.database.writer()).await.expect("an update");
        assert_eq!(updated.rows_affected, 1);
    }

    async fn publish(&self, body: &Value) -> Answer {
        self.post_json("/v1/events", body).await
    }

    async fn publish_under(&self, key: &str, body: &Value) -> Answer {
        let headers = [JSON, ("idempotency-key", key)];
        self.send("POST", "/v1/events", &headers, body.to_string().as_bytes()).await
    }
}

/// An event with these members laid over it; a member that is laid over with `"absent"` is left out.
fn event(over: &Value) -> Value {
    let mut event = json!({"user_id": 1, "type": TYPE, "data": {}});
    let members = event.as_object_mut().expect("an object");
    for (name, value) in over.as_object().expect("an object") {
        if value == "absent" {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    event
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {answer:?}")).to_owned()
}

#[track_caller]
fn refused_field(answer: &Answer, field: &str) {
    let told = answer.problem(422, "validation_failed");
    let fields: Vec<_> = told["errors"].as_array().expect("errors").iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, [field], "{answer:?}");
}

#[tokio::test]
async fn an_event_is_stored_for_each_registered_endpoint_of_its_user() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    for user in [1, 1, 2] {
        api.webhook_of(user, &event_type).await;
    }
    let answer = api.publish(&event(&json!({}))).await;
    assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(2)), "{answer:?}");
    assert_eq!(answer.json().as_object().map(serde_json::Map::len), Some(2));
    assert!(id(&answer).parse::<Uuid>().is_ok_and(|id| id.get_version_num() == 7));
    let nobody = api.publish(&event(&json!({"user_id": -3}))).await;
    assert_eq!(
        (nobody.status, &nobody.json()["deliveries"]),
        (202, &json!(0)),
        "nobody is registered: stored"
    );
    assert_eq!((api.count("event").await, api.count("delivery").await), (2, 2));
}

#[tokio::test]
async fn the_data_is_shown_byte_for_byte() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    let data = r#"{ "big": 12345678901234567890.10,  "dup": 1, "dup": 2, "z": "\u00e9\ud800", "n": null }"#;
    let body = format!(r#"{{"user_id":1,"type":"{TYPE}","data":  {data}  }}"#);
    let answer = api.send("POST", "/v1/events", &[JSON], body.as_bytes()).await;
    let shown = api.get(&format!("/v1/events/{}", id(&answer))).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert!(shown.text().contains(&format!(r#""data":{data},"#)), "{shown:?}");
}

#[tokio::test]
async fn every_bad_member_is_named() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    let long_name = "ä".repeat(256);
    for (over, field) in [
        (json!({"user_id": "absent"}), "user_id"),
        (json!({"user_id": null}), "user_id"),
        (json!({"user_id": "1"}), "user_id"),
        (json!({"user_id": 1.5}), "user_id"),
        (json!({"type": "absent"}), "type"),
        (json!({"type": null}), "type"),
        (json!({"type": 7}), "type"),
        (json!({"type": ""}), "type"),
        (json!({"type": long_name}), "type"),
        (json!({"type": "a\u{0}b"}), "type"),
        (json!({"type": "unknown.type"}), "type"),
        (json!({"data": "absent"}), "data"),
        (json!({"data": {"a": ["\u{0}"]}}), "data"),
        (json!({"idempotency_key": ""}), "idempotency_key"),
        (json!({"idempotency_key": 7}), "idempotency_key"),
        (json!({"idempotency_key": "a\nb"}), "idempotency_key"),
        (json!({"deliver_at": "tomorrow"}), "deliver_at"),
        (json!({"deliver_at": 1_709_024_348}), "deliver_at"),
        (json!({"endpoint_ids": []}), "endpoint_ids"),
        (json!({"endpoint_ids": "x"}), "endpoint_ids"),
        (json!({"endpoint_ids": ["x"]}), "endpoint_ids[0]"),
        (json!({"colour": "red"}), "colour"),
    ] {
        refused_field(&api.publish(&event(&over)).await, field);
    }
    let all = api.publish(&json!({"type": 1, "endpoint_ids": [1], "x": 1})).await;
    let all = all.problem(422, "validation_failed");
    let fields: Vec<_> =
        all["errors"].as_array().expect("errors").iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["type", "data", "endpoint_ids[0]", "x"], "all at once");
    assert_eq!(api.count("event").await, 0);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_in_its_way() {
    let api = TestApi::start().await;
    for path in ["/v1/events", "/v1/events/batch"] {
        for (body, status, code) in [
            ("", 400, "json_invalid"),
            ("{", 400, "json_invalid"),
            ("\"\u{0}\"", 400, "json_invalid"),
            ("[]", 422, "validation_failed"),
            ("7", 422, "validation_failed"),
        ] {
            api.send("POST", path, &[JSON], body.as_bytes()).await.problem(status, code);
        }
        api.send("POST", path, &[], b"{}").await.problem(415, "unsupported_media_type");
    }
    let twice = br#"{"user_id":1,"user_id":2,"type":"invoice.paid","data":1}"#;
    refused_field(&api.send("POST", "/v1/events", &[JSON], twice).await, "user_id");
}

#[tokio::test]
async fn what_only_hookyard_publishes_is_refused() {
    let api = TestApi::start().await;
    for name in ["hookyard.test", "hookyard.anything", "endpoint.disabled", "upload file", "message.received"]
    {
        refused_field(&api.publish(&event(&json!({"type": name}))).await, "type");
    }
    assert_eq!(api.count("event").await, 0);
}

#[tokio::test]
async fn data_is_taken_up_to_its_bounds() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    let publish = async |data: &str| {
        let body = format!(r#"{{"user_id":1,"type":"{TYPE}","data":{data}}}"#);
        api.send("POST", "/v1/events", &[JSON], body.as_bytes()).await
    };
    let sized = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for data in
        ["null", "0", "\"\"", "[]", "false", r#""\\u0000""#, &sized(MAX_DATA_BYTES), &deep(MAX_NESTING)]
    {
        assert_eq!(publish(data).await.status, 202, "{data:.40}");
    }
    for data in [&sized(MAX_DATA_BYTES + 1), &deep(MAX_NESTING + 1), &deep(100_000), r#"["\u0000"]"#] {
        refused_field(&publish(data).await, "data");
    }
    publish(&sized(512 * 1_024)).await.problem(413, "payload_too_large");
}

#[tokio::test]
async fn the_same_key_publishes_once() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    api.webhook_of(1, &event_type).await;
    let first = api.publish_under("order 7", &event(&json!({"data": {"a": 1}}))).await;
    assert_eq!(first.status, 202, "{first:?}");
    api.webhook_of(1, &event_type).await;
    let member = event(&json!({"data": {"a": 1}, "idempotency_key": "order 7"}));
    for repeat in [
        api.publish_under("order 7", &event(&json!({"data": {"a": 1}}))).await,
        api.publish(&member).await,
        api.publish_under("order 7", &member).await,
    ] {
        assert_eq!((repeat.status, repeat.json()), (200, first.json()), "what the first was told");
    }
    for other in [json!({"data": {"a": 2}}), json!({"data": {"a": 1}, "deliver_at": "2020-01-01T00:00:00Z"})]
    {
        api.publish_under("order 7", &event(&other)).await.problem(409, "idempotency_key_taken");
    }
    refused_field(&api.publish_under("order 8", &member).await, "idempotency_key");
    let of_another = api.publish_under("order 7", &event(&json!({"user_id": 2}))).await;
    assert_eq!(of_another.status, 202, "keys belong to users");
    assert_eq!(api.count("event").await, 2);
}

#[tokio::test]
async fn a_key_has_its_bounds_in_the_header_too() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    assert_eq!(api.publish_under(&"k".repeat(255), &event(&json!({}))).await.status, 202);
    assert_eq!(api.publish(&event(&json!({"idempotency_key": "ä".repeat(255)}))).await.status, 202);
    refused_field(&api.publish_under(&"k".repeat(256), &event(&json!({}))).await, "idempotency_key");
    refused_field(&api.publish_under("", &event(&json!({}))).await, "idempotency_key");
    let twice = [JSON, ("idempotency-key", "a"), ("idempotency-key", "a")];
    let answer = api.send("POST", "/v1/events", &twice, event(&json!({})).to_string().as_bytes()).await;
    refused_field(&answer, "idempotency_key");
}

#[tokio::test]
async fn a_later_delivery_lies_at_most_30_days_ahead() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    api.webhook_of(1, &event_type).await;
    let at = |wait: Duration| (api.context.clock.now() + wait).rfc3339();
    let day = Duration::from_secs(24 * 3_600);
    let later = api.publish(&event(&json!({"deliver_at": at(30 * day)}))).await;
    assert_eq!(later.status, 202, "{later:?}");
    refused_field(
        &api.publish(&event(&json!({"deliver_at": at(30 * day + Duration::from_secs(60))}))).await,
        "deliver_at",
    );
    let past = api.publish(&event(&json!({"deliver_at": "1999-12-31T23:59:59.5+02:00"}))).await;
    assert_eq!(past.status, 202);
    let next = async |answer: &Answer| {
        let told = api.get(&format!("/v1/events/{}", id(answer))).await.json();
        let next = told["deliveries"][0]["next_attempt_at"].as_str().and_then(Millis::parse_rfc3339);
        next.unwrap_or_else(|| panic!("{told}")).since(api.context.clock.now())
    };
    assert!(next(&later).await > 29 * day);
    assert_eq!(next(&past).await, Duration::ZERO, "past is now");
}

#[tokio::test]
async fn an_event_goes_to_exactly_the_endpoints_that_it_names() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    let (mine, other, strange, gone) = (
        api.webhook_of(1, UPLOAD_FILE).await,
        api.webhook_of(1, &event_type).await,
        api.webhook_of(2, &event_type).await,
        api.webhook_of(1, &event_type).await,
    );
    api.set_lane(&gone, "deleted").await;
    let named = |ids: &[&str]| event(&json!({"endpoint_ids": ids}));
    let answer = api.publish(&named(&[&mine])).await;
    assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(1)), "registered for it or not");
    let told = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
    assert_eq!((&told["addressed"], &told["deliveries"][0]["endpoint_id"]), (&json!(true), &json!(mine)));
    for stranger in [&strange, &gone, &Uuid::now_v7().to_string()] {
        refused_field(&api.publish(&named(&[&mine, stranger])).await, "endpoint_ids[1]");
    }
    refused_field(&api.publish(&named(&[&mine, &other, &mine])).await, "endpoint_ids[2]");
    assert_eq!(api.count("event").await, 1);
}

#[tokio::test]
async fn an_event_names_at_most_1000_endpoints() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    let ids = |count: usize| (0..count).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let told = api.publish(&event(&json!({"endpoint_ids": ids(1_000)}))).await;
    let told = told.problem(422, "validation_failed");
    assert_eq!(
        told["errors"].as_array().map(Vec::len),
        Some(32),
        "bounded: they are not there, each of them"
    );
    refused_field(&api.publish(&event(&json!({"endpoint_ids": ids(1_001)}))).await, "endpoint_ids");
}

#[tokio::test]
async fn a_batch_answers_each_event_in_order() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    api.webhook_of(1, &event_type).await;
    let events = json!({"events": [
        event(&json!({"data": 0, "idempotency_key": "k"})),
        event(&json!({"type": "unknown.type"})),
        7,
        event(&json!({"data": 0, "idempotency_key": "k"})),
        event(&json!({"data": 1, "idempotency_key": "k"})),
        event(&json!({"colour": "red"})),
        event(&json!({"data": 2})),
    ]});
    let answer = api.post_json("/v1/events/batch", &events).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let told = answer.json();
    let code = |place: usize| told["data"][place]["code"].as_str().unwrap_or("").to_owned();
    let codes: Vec<_> = (0..7).map(code).collect();
    let invalid = "validation_failed";
    assert_eq!(codes, ["", invalid, invalid, "", "idempotency_key_taken", invalid, ""]);
    assert_eq!(told["data"][0], told["data"][3], "two copies are one event");
    assert_eq!(told["data"][6]["deliveries"], 1);
    assert_eq!(told["data"][1]["errors"][0]["field"], "type");
    assert_eq!(told["data"][1]["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(api.count("event").await, 2);
}

#[tokio::test]
async fn a_batch_has_1_to_1000_events() {
    let api = TestApi::start().await;
    api.event_type(TYPE).await;
    let batch = |count: usize| json!({"events": vec![event(&json!({})); count]});
    let answer = api.post_json("/v1/events/batch", &batch(1_000)).await;
    assert_eq!((answer.status, answer.json()["data"].as_array().map(Vec::len)), (202, Some(1_000)));
    assert_eq!(api.count("event").await, 1_000);
    for bad in [batch(0), batch(1_001), json!({}), json!({"events": {}})] {
        refused_field(&api.post_json("/v1/events/batch", &bad).await, "events");
    }
    let with_more = json!({"events": [event(&json!({}))], "more": 1});
    refused_field(&api.post_json("/v1/events/batch", &with_more).await, "more");
    let headers = [JSON, ("idempotency-key", "k")];
    let answer = api.send("POST", "/v1/events/batch", &headers, batch(1).to_string().as_bytes()).await;
    refused_field(&answer, "Idempotency-Key");
    let large = vec![b' '; 8 * 1_024 * 1_024 + 1];
    api.send("POST", "/v1/events/batch", &[JSON], &large).await.problem(413, "payload_too_large");
}

#[tokio::test]
async fn bodies_that_would_not_fit_into_memory_are_refused_before_they_are_read() {
    let limits = api::Limits { stall: STALL, publish_bytes: 8 * 1_024, ..api::Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    api.event_type(TYPE).await;
    assert_eq!(api.publish(&event(&json!({"data": "x".repeat(7 * 1_024)}))).await.status, 202);
    api.publish(&event(&json!({"data": "x".repeat(8 * 1_024)}))).await.problem(503, "overloaded");
    assert_eq!(api.publish(&event(&json!({}))).await.status, 202, "room is given back");
}

#[tokio::test]
async fn an_event_tells_who_got_nothing_and_why() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    let gets = api.webhook_of(1, &event_type).await;
    let other_type = api.webhook_of(1, UPLOAD_FILE).await;
    let deleted = api.webhook_of(1, &event_type).await;
    api.set_lane(&deleted, "deleted").await;
    api.set_lane(&gets, "paused").await;
    api.webhook_of(2, &event_type).await;
    let answer = api.publish(&event(&json!({}))).await;
    api.context.clock.forward(Duration::from_secs(1));
    let later = api.webhook_of(1, &event_type).await;
    let told = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
    let delivery = &told["deliveries"][0];
    assert_eq!((&delivery["endpoint_id"], &delivery["state"]), (&json!(gets), &json!("held")));
    assert_eq!((&delivery["channel"], &delivery["attempts"]), (&json!("webhook"), &json!(0)));
    let unmatched: Vec<_> = told["unmatched"].as_array().expect("a list").iter().collect();
    let reasons: Vec<_> = unmatched.iter().map(|one| (&one["endpoint_id"], &one["reason"])).collect();
    assert_eq!(
        reasons,
        [
            (&json!(other_type), &json!("not_registered")),
            (&json!(deleted), &json!("deleted")),
            (&json!(later), &json!("created_later")),
        ]
    );
    assert!(unmatched.iter().all(|one| one["why"].as_str().is_some_and(|why| why.ends_with('.'))));
    assert_eq!((&told["more_deliveries"], &told["more_unmatched"]), (&json!(false), &json!(false)));
    let addressed = api.publish(&event(&json!({"endpoint_ids": [other_type]}))).await;
    let told = api.get(&format!("/v1/events/{}", id(&addressed))).await.json();
    assert_eq!(told["unmatched"][0]["reason"], "not_addressed", "{told}");
}

#[tokio::test]
async fn lists_of_an_event_are_bounded_and_say_when_there_is_more() {
    let api = TestApi::start().await;
    let event_type = api.event_type(TYPE).await;
    api.endpoints(1_000, &event_type).await;
    let told = async |answer: &Answer| api.get(&format!("/v1/events/{}", id(answer))).await.json();
    let lengths =
        |told: &Value| (told["deliveries"].as_array().map(Vec::len), told["more_deliveries"].clone());
    let exact = api.publish(&event(&json!({}))).await;
    assert_eq!(lengths(&told(&exact).await), (Some(1_000), json!(false)));
    api.endpoints(1, &event_type).await;
    let more = api.publish(&event(&json!({}))).await;
    assert_eq!(more.json()["deliveries"], 1_001);
    assert_eq!(lengths(&told(&more).await), (Some(1_000), json!(true)));
    let one = api.webhook_of(1, UPLOAD_FILE).await;
    let addressed = told(&api.publish(&event(&json!({"endpoint_ids": [one]}))).await).await;
    assert_eq!(
        (addressed["unmatched"].as_array().map(Vec::len), &addressed["more_unmatched"]),
        (Some(1_000), &json!(true))
    );
}

#[tokio::test]
async fn a_test_event_goes_to_one_endpoint_alone() {
    let api = TestApi::start().await;
    let (one, _) = (api.webhook().await, api.webhook().await);
    let answer = api.send("POST", &format!("/v1/endpoints/{one}/test"), &[], b"").await;
    assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(1)), "{answer:?}");
    let told = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
    assert_eq!((&told["type"], &told["addressed"]), (&json!("hookyard.test"), &json!(true)));
    assert_eq!(
        (&told["data"]["endpoint_id"], &told["deliveries"][0]["endpoint_id"]),
        (&json!(one), &json!(one))
    );
    for (state, status) in [("paused", 202), ("disabled", 202), ("deleted", 404)] {
        api.set_lane(&one, state).await;
        let answer = api.send("POST", &format!("/v1/endpoints/{one}/test"), &[], b"").await;
        assert_eq!(answer.status, status, "{state}: {answer:?}");
    }
    let unknown = format!("/v1/endpoints/{}/test", Uuid::now_v7());
    api.send("POST", &unknown, &[], b"").await.problem(404, "not_found");
}

#[tokio::test]
async fn an_event_that_is_not_there_is_not_found() {
    let api = TestApi::start().await;
    api.get(&format!("/v1/events/{}", Uuid::now_v7())).await.problem(404, "not_found");
    api.get("/v1/events/x").await.problem(400, "bad_request");
}

impl TestApi {
    /// Endpoints of user 1, registered for a type, without the way by HTTP.
    async fn endpoints(&self, count: usize, event_type: &str) {
        use entity::{endpoint, endpoint_event_type};
        let (event_type, db) = (event_type.parse().expect("an id"), self.context.database.writer());
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
        for ids in ids.chunks(500) {
            let lanes = ids.iter().map(|id| lane::ActiveModel {
                id: Set(*id),
                channel: Set("webhook".into()),
                ..Default::default()
            });
            lane::Entity::insert_many(lanes).exec_without_returning(db).await.expect("lanes");
            let endpoints = ids.iter().map(|id| endpoint::ActiveModel {
                id: Set(*id),
                user_id: Set(1),
                url: Set("https://webhook-test.com".into()),
                sealed_secret: Set(vec![]),
                created_at: Set(0),
                updated_at: Set(0),
                ..Default::default()
            });
            endpoint::Entity::insert_many(endpoints).exec_without_returning(db).await.expect("endpoints");
            let registered = ids.iter().map(|id| endpoint_event_type::ActiveModel {
                event_type_id: Set(event_type),
                endpoint_id: Set(*id),
            });
            let insert = endpoint_event_type::Entity::insert_many(registered);
            insert.exec_without_returning(db).await.expect("registrations");
        }
    }
}
