//! `/v1/deliveries` and `/v1/replays`: which requests are rejected, and with which errors. The engine's tests cover what they do.

use std::time::Duration;

use api::Limits;
use serde_json::json;

use crate::harness::{STALL, TestApi};

const UNKNOWN: &str = "441a53ea-93d1-4a87-9b99-ac20616458c3";

#[tokio::test]
async fn bad_parameters_of_a_list_are_named() {
    let api = TestApi::start().await;
    let long = format!("type={}", "x".repeat(256));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("endpoint_id=x", "endpoint_id"),
        ("event_id=x", "event_id"),
        ("user_id=x", "user_id"),
        ("user_id=9223372036854775808", "user_id"),
        ("state=claimed", "state"),
        ("channel=fax", "channel"),
        ("type=", "type"),
        ("type=%00", "type"),
        (long.as_str(), "type"),
        ("since=yesterday", "since"),
        ("until=2026-02-30T00:00:00Z", "until"),
        ("error_class=bad", "error_class"),
        ("colour=red", "colour"),
        ("state=dead&state=dead", "state"),
    ] {
        let reply = api.get(&format!("/v1/deliveries?{query}")).await.problem(422, "validation_failed");
        assert_eq!(reply["errors"][0]["field"], field, "{query}");
    }
    for query in ["limit=1", "limit=1000", &format!("type={}", "x".repeat(255))] {
        let page = api.get(&format!("/v1/deliveries?{query}")).await;
        assert_eq!((page.status, page.json()), (200, json!({"data": [], "next_cursor": null})), "{query}");
    }
}

#[tokio::test]
async fn unknown_ids_are_404() {
    let api = TestApi::start().await;
    for path in ["deliveries", "replays"] {
        api.get(&format!("/v1/{path}/{UNKNOWN}")).await.problem(404, "not_found");
        let reply = api.get(&format!("/v1/{path}/x")).await.problem(400, "bad_request");
        assert_eq!(reply["errors"], json!([{"field": "id", "message": "is not a UUID"}]));
        api.send("POST", &format!("/v1/{path}/{UNKNOWN}/cancel"), &[], b"").await.problem(404, "not_found");
    }
    api.send("POST", &format!("/v1/deliveries/{UNKNOWN}/retry"), &[], b"").await.problem(404, "not_found");
    for verb in ["pause", "resume"] {
        api.send("POST", &format!("/v1/replays/{UNKNOWN}/{verb}"), &[], b"").await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_replay_request_reports_all_errors() {
    let api = TestApi::start().await;
    let body = json!({"rate_per_second": 1001, "filter": {"state": "held", "user_id": "1", "endpoint_id": 1, "more": 0}});
    let reply = api.post_json("/v1/replays", &body).await.problem(422, "validation_failed");
    let fields: Vec<_> =
        reply["errors"].as_array().expect("faults").iter().map(|fault| &fault["field"]).collect();
    assert_eq!(
        fields,
        ["rate_per_second", "filter.user_id", "filter.endpoint_id", "filter.state", "filter.more"]
    );
    api.post_json("/v1/replays", &json!([])).await.problem(400, "bad_request");
    api.send("POST", "/v1/replays", &[], b"{}").await.problem(415, "unsupported_media_type");
    assert_eq!(api.count("replay").await, 0);
}

#[tokio::test]
async fn replays_come_newest_first_in_pages() {
    let api = TestApi::start().await;
    let mut made = Vec::new();
    for rate in [1, 2, 3] {
        let answer = api.post_json("/v1/replays", &json!({"rate_per_second": rate})).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        made.push(answer.json());
    }
    let first = api.get("/v1/replays?limit=2").await.json();
    assert_eq!(first["data"], json!([made[2], made[1]]), "as in the responses that created them");
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = api.get(&format!("/v1/replays?limit=2&cursor={cursor}")).await.json();
    assert_eq!(rest, json!({"data": [made[0]], "next_cursor": null}));
    api.get("/v1/replays?limit=1001").await.problem(422, "validation_failed");
}

#[tokio::test]
async fn a_slow_search_is_reported_and_does_not_affect_later_ones() {
    let limits = Limits { stall: STALL, search: Duration::ZERO, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    many_events(&api).await;
    for _ in 0..6 {
        api.get("/v1/deliveries?type=nothing").await.problem(503, "search_too_slow");
    }
    assert_eq!(api.get("/v1/errors").await.status, 200, "the readers are as they were");
}

/// Enough finished deliveries that a look through all of them takes more than an instant.
async fn many_events(api: &TestApi) {
    use sea_orm::ConnectionTrait;
    let sql = "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, state, position,
            attempts, claim, created_at, finished_at)
        SELECT randomblob(16), randomblob(16), 1, randomblob(16), 'webhook', randomblob(16), 'dead', 0, 1, 1, 0, 0
        FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n)";
    api.context.database.writer().execute_unprepared(sql).await.expect("rows");
}
