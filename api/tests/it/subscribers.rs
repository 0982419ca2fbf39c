//! `/v1/subscribers`: what one says, and that a chat is one subscriber, however often and by however many it is made.

use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{TestApi, fields, ids, walk},
};

const SUBSCRIBERS: &str = "/v1/subscribers";

async fn made(api: &TestApi, status: u16, body: &Value) -> Value {
    let answer = api.post_json(SUBSCRIBERS, body).await;
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()
}

on_both_databases! {
    async fn a_subscriber_is_created_returned_and_deleted(api: TestApi) {
        let reply = made(&api, 201, &json!({"chat_id": -1_001_234_567_890_i64, "user_id": 7, "name": "Ärzu"})).await;
        let members: Vec<_> = reply.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["id", "chat_id", "user_id", "name", "active", "created_at", "updated_at"]);
        assert_eq!(
            (&reply["chat_id"], &reply["user_id"], &reply["name"], &reply["active"]),
            (&json!("-1001234567890"), &json!(7), &json!("Ärzu"), &json!(true))
        );
        assert_eq!(reply["created_at"], reply["updated_at"]);
        let path = format!("{SUBSCRIBERS}/{}", reply["id"].as_str().expect("an id"));
        assert_eq!(api.get(&path).await.json(), reply);
        assert_eq!(api.get(SUBSCRIBERS).await.json()["data"], json!([reply]));
        assert_eq!(api.delete(&path).await.status, 204);
        api.get(&path).await.problem(404, "not_found");
        api.delete(&path).await.problem(404, "not_found");
    }

    async fn a_known_chat_reactivates_its_subscriber(api: TestApi) {
        let first = made(&api, 201, &json!({"chat_id": "42", "user_id": 7, "name": "old"})).await;
        let sql = "UPDATE subscriber SET active = FALSE";
        api.context.database.writer().execute_unprepared(sql).await.expect("blocked");
        api.context.clock.forward(Duration::from_secs(5));
        let again = made(&api, 200, &json!({"chat_id": 42, "name": "new"})).await;
        assert_eq!((&again["id"], &again["created_at"]), (&first["id"], &first["created_at"]));
        assert_eq!(
            (&again["name"], &again["user_id"], &again["active"]),
            (&json!("new"), &json!(7), &json!(true)),
            "what is left out stays"
        );
        assert!(again["updated_at"].as_str() > first["updated_at"].as_str(), "{again}");
        let off = made(&api, 200, &json!({"chat_id": "042", "active": false, "user_id": 8})).await;
        assert_eq!((&off["active"], &off["user_id"], &off["name"]), (&json!(false), &json!(8), &json!("new")));
        let path = format!("{SUBSCRIBERS}/{}", first["id"].as_str().expect("an id"));
        assert_eq!(api.get(&path).await.json(), off);
        assert_eq!(api.count("subscriber").await, 1);
    }

    async fn subscribers_without_a_chat_are_distinct(api: TestApi) {
        let body = json!({"user_id": 7});
        let (one, other) = (made(&api, 201, &body).await, made(&api, 201, &body).await);
        assert_ne!(one["id"], other["id"]);
        assert_eq!(one["chat_id"], json!(null));
    }

    async fn of_two_with_the_same_chat_in_a_batch_the_last_is_kept(api: TestApi) {
        let known = made(&api, 201, &json!({"chat_id": "@Known", "name": "before"})).await;
        let body = json!({"subscribers": [
            {"chat_id": 1, "name": "first"}, {"user_id": 5}, {"chat_id": "1", "name": "last"}, {"user_id": 5},
            {"chat_id": "@known", "name": "after"}]});
        let answer = api.post_json(&format!("{SUBSCRIBERS}/batch"), &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let reply = answer.json()["data"].clone();
        assert_eq!((&reply[0], &reply[0]["name"]), (&reply[2], &json!("last")));
        assert_ne!(reply[1]["id"], reply[3]["id"]);
        assert_eq!((&reply[4]["id"], &reply[4]["name"]), (&known["id"], &json!("after")));
        assert_eq!(api.count("subscriber").await, 4);
    }

    async fn a_request_creates_at_most_1000(api: TestApi) {
        let batch = |count: i64| {
            let all: Vec<_> = (0..count).map(|chat| json!({"chat_id": chat, "name": "n", "user_id": chat})).collect();
            json!({ "subscribers": all })
        };
        let path = format!("{SUBSCRIBERS}/batch");
        for count in [0, 1_001] {
            let reply = api.post_json(&path, &batch(count)).await.problem(422, "validation_failed");
            assert_eq!(fields(&reply), ["subscribers"]);
        }
        let answer = api.post_json(&path, &batch(1_000)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let reply = answer.json();
        let chats = reply["data"].as_array().expect("rows").iter().map(|row| row["chat_id"].clone());
        assert!(chats.eq((0..1_000).map(|n| json!(n.to_string()))), "in order");
        let mut newest_first = ids(&reply["data"]);
        newest_first.reverse();
        assert_eq!(walk(&api, SUBSCRIBERS, 999).await, newest_first);
    }

    async fn concurrent_batches_do_not_deadlock(api: TestApi) {
        let path = format!("{SUBSCRIBERS}/batch");
        let bodies = (0..16).map(|turn| {
            let mut all: Vec<_> = (0..200).map(|chat| json!({ "chat_id": chat })).collect();
            all.rotate_left(turn * 12);
            json!({ "subscribers": all })
        });
        let answers = join_all(bodies.map(|body| { let path = path.clone(); let api = &api;
            async move { api.post_json(&path, &body).await } })).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        assert_eq!(api.count("subscriber").await, 200);
    }
}

#[tokio::test]
async fn every_member_is_validated() {
    let api = TestApi::start().await;
    let name = |count: usize| "🦀".repeat(count);
    let longest = format!("@{}", "n".repeat(64));
    for (body, chat) in [
        (json!({"chat_id": i64::MAX}), json!(i64::MAX.to_string())),
        (json!({"chat_id": i64::MIN.to_string()}), json!(i64::MIN.to_string())),
        (json!({ "chat_id": longest }), json!(longest)),
        (json!({"chat_id": 1, "name": name(255), "active": null}), json!("1")),
        (json!({"chat_id": null, "user_id": i64::MIN}), json!(null)),
    ] {
        assert_eq!(made(&api, 201, &body).await["chat_id"], chat, "{body}");
    }
    for (body, field) in [
        (json!({}), "chat_id"),
        (json!({"name": "n"}), "chat_id"),
        (json!({"chat_id": null, "user_id": null}), "chat_id"),
        (json!({"chat_id": 1.5}), "chat_id"),
        (json!({"chat_id": i128::from(i64::MAX) + 1}), "chat_id"),
        (json!({"chat_id": "channel"}), "chat_id"),
        (json!({"chat_id": longest.clone() + "n"}), "chat_id"),
        (json!({"chat_id": true}), "chat_id"),
        (json!({"user_id": "7"}), "user_id"),
        (json!({"user_id": 7.5}), "user_id"),
        (json!({"chat_id": 2, "name": ""}), "name"),
        (json!({"chat_id": 2, "name": name(256)}), "name"),
        (json!({"chat_id": 2, "active": "yes"}), "active"),
        (json!({"chat_id": 2, "id": 1}), "id"),
    ] {
        let reply = api.post_json(SUBSCRIBERS, &body).await.problem(422, "validation_failed");
        assert_eq!(fields(&reply), [field], "{body}");
    }
    assert_eq!(api.count("subscriber").await, 5);
}
