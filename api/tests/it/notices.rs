//! `/v1/notices`: validation, creation in bulk, and lists with the outcome of each notice.

use domain::id::{BroadcastId, EventId};
use entity::broadcast;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{TestApi, fields, ids, walk},
};

const NOTICES: &str = "/v1/notices";
const UNKNOWN: &str = "441a53ea-93d1-4a87-9b99-ac20616458c3";

async fn made(api: &TestApi, body: &Value) -> Value {
    let answer = api.post_json(NOTICES, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// A broadcast of the notice, as the one who accepts it writes it.
async fn broadcast(api: &TestApi, notice: &Value, channel: &str) {
    let row = broadcast::ActiveModel {
        id: Set(BroadcastId::new().0),
        event_id: Set(EventId::new().0),
        channel: Set(channel.to_owned()),
        notice_id: Set(Some(notice["id"].as_str().expect("an id").parse().expect("a UUID"))),
        state: Set("running".to_owned()),
        total: Set(3),
        queued: Set(1),
        created_at: Set(1_709_024_348_123),
        ..Default::default()
    };
    let insert = broadcast::Entity::insert(row);
    insert.exec_without_returning(api.context.database.writer()).await.expect("a row");
}

on_both_databases! {
    async fn a_notice_is_created_returned_and_deleted(api: TestApi) {
        let reply = made(&api, &json!({"title": "Exam", "message": "On Monday 🦀", "url": "https://a.test"})).await;
        let members: Vec<_> = reply.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["id", "title", "message", "type", "url", "created_at", "broadcasts"]);
        assert_eq!(
            (&reply["title"], &reply["message"], &reply["type"], &reply["url"], &reply["broadcasts"]),
            (&json!("Exam"), &json!("On Monday 🦀"), &json!("general"), &json!("https://a.test"), &json!([]))
        );
        let path = format!("{NOTICES}/{}", reply["id"].as_str().expect("an id"));
        assert_eq!(api.get(&path).await.json(), reply);
        assert_eq!(api.get(NOTICES).await.json(), json!({"data": [reply], "next_cursor": null}));
        let deleted = api.delete(&path).await;
        assert_eq!((deleted.status, deleted.body.len()), (204, 0));
        for gone in [&path, &format!("{NOTICES}/{UNKNOWN}")] {
            api.get(gone).await.problem(404, "not_found");
            api.delete(gone).await.problem(404, "not_found");
        }
        api.get(&format!("{NOTICES}/x")).await.problem(400, "bad_request");
        assert_eq!(api.count("notice").await, 0);
    }

    async fn a_notice_lists_the_channels_that_announced_it(api: TestApi) {
        let (one, other) = (
            made(&api, &json!({"title": "a", "message": "b"})).await,
            made(&api, &json!({"title": "c", "message": "d", "type": "exam"})).await,
        );
        broadcast(&api, &one, "web_push").await;
        broadcast(&api, &one, "telegram").await;
        broadcast(&api, &other, "telegram").await;
        let on = |channel: &str| {
            json!({"channel": channel, "state": "running", "total": 3, "queued": 1,
                   "created_at": "2024-02-27T08:59:08.123Z"})
        };
        let listed = api.get(NOTICES).await.json();
        assert_eq!(listed["data"][0]["broadcasts"], json!([on("telegram")]));
        assert_eq!(listed["data"][1]["broadcasts"], json!([on("telegram"), on("web_push")]));
        let path = format!("{NOTICES}/{}", one["id"].as_str().expect("an id"));
        assert_eq!(api.get(&path).await.json(), listed["data"][1]);
        assert_eq!(api.delete(&path).await.status, 204);
        assert_eq!(api.count("broadcast").await, 3, "what is owed is still delivered");
    }

    async fn a_request_creates_at_most_1000(api: TestApi) {
        let batch = |count: usize| {
            let notices: Vec<_> = (0..count).map(|n| json!({"title": format!("n{n}"), "message": "m"})).collect();
            json!({ "notices": notices })
        };
        let path = format!("{NOTICES}/batch");
        for count in [0, 1_001] {
            let reply = api.post_json(&path, &batch(count)).await.problem(422, "validation_failed");
            assert_eq!(reply["errors"], json!([{"field": "notices", "message": "must be an array of 1 to 1000 items"}]));
        }
        assert_eq!(api.count("notice").await, 0);
        let answer = api.post_json(&path, &batch(1_000)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let reply = answer.json();
        assert_eq!(reply.as_object().map(serde_json::Map::len), Some(1));
        let titles = reply["data"].as_array().expect("rows").iter().map(|row| row["title"].clone());
        assert!(titles.eq((0..1_000).map(|n| json!(format!("n{n}")))), "in order");
        let mut newest_first = ids(&reply["data"]);
        newest_first.reverse();
        assert_eq!(walk(&api, NOTICES, 300).await, newest_first);
    }

    async fn one_invalid_notice_rejects_the_request(api: TestApi) {
        let good = json!({"title": "t", "message": "m"});
        let body = json!({"notices": [good, good, 7, {"title": "", "message": "a\0", "colour": "red"}]});
        let reply = api.post_json(&format!("{NOTICES}/batch"), &body).await.problem(422, "validation_failed");
        let named = ["notices[2]", "notices[3].message", "notices[3].title", "notices[3].message", "notices[3].colour"];
        assert_eq!(fields(&reply), named);
        assert_eq!(api.count("notice").await, 0);
    }
}

#[tokio::test]
async fn every_member_is_validated_at_its_limit() {
    let api = TestApi::start().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({"title": "t", "message": "m"});
        body[name] = value;
        body
    };
    let crabs = |count: usize| json!("🦀".repeat(count));
    let url = |length: usize| json!(format!("https://a.test/{}", "p".repeat(length - 15)));
    for (name, good) in [
        ("title", crabs(1)),
        ("title", crabs(256)),
        ("message", crabs(16_384)),
        ("type", crabs(64)),
        ("type", json!(null)),
        ("url", url(2_048)),
        ("url", json!("http://a.test:8080/x?y#z")),
        ("url", json!(null)),
    ] {
        let reply = made(&api, &with(name, good.clone())).await;
        let shown = if name == "type" && good.is_null() { json!("general") } else { good };
        assert_eq!(reply[name], shown, "{name}");
    }
    for (name, bad) in [
        ("title", crabs(0)),
        ("title", crabs(257)),
        ("title", json!(null)),
        ("title", json!(1)),
        ("title", json!("a\0")),
        ("message", crabs(0)),
        ("message", crabs(16_385)),
        ("message", json!(" \n ")),
        ("type", crabs(0)),
        ("type", crabs(65)),
        ("url", url(2_049)),
        ("url", json!("ftp://a.test/")),
        ("url", json!("/relative")),
        ("url", json!("javascript:alert(1)")),
        ("colour", json!("red")),
    ] {
        let reply = api.post_json(NOTICES, &with(name, bad)).await.problem(422, "validation_failed");
        assert!(fields(&reply).iter().all(|field| field == name), "{name}: {reply}");
    }
    let reply =
        api.post_json(NOTICES, &json!({"url": 1, "type": 2, "x": 3})).await.problem(422, "validation_failed");
    assert_eq!(fields(&reply), ["title", "message", "type", "url", "x"]);
    assert_eq!(api.count("notice").await, 8);
}

#[tokio::test]
async fn lists_of_notifications_validate_their_parameters() {
    let api = TestApi::start().await;
    for path in [NOTICES, "/v1/placements", "/v1/subscribers"] {
        for (query, field) in
            [("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"), ("colour=red", "colour")]
        {
            let reply = api.get(&format!("{path}?{query}")).await.problem(422, "validation_failed");
            assert_eq!(fields(&reply), [field], "{path}?{query}");
        }
        let empty = api.get(&format!("{path}?limit=1000&cursor={UNKNOWN}")).await;
        assert_eq!((empty.status, empty.json()), (200, json!({"data": [], "next_cursor": null})), "{path}");
        api.send("POST", path, &[], b"{}").await.problem(415, "unsupported_media_type");
        let large = vec![b' '; 8 * 1_024 * 1_024 + 1];
        let json = [("content-type", "application/json")];
        api.send("POST", &format!("{path}/batch"), &json, &large).await.problem(413, "payload_too_large");
    }
}
