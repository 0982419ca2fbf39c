//! `GET /api/stats`: the same numbers on both databases, of hand-made rows and of none.

use std::time::Duration;

use api::Limits;
use domain::id::{BroadcastId, EventId, PushSubscriptionId};
use entity::{broadcast, push_subscription};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    both::on_both_databases,
    harness::{STALL, TestApi},
};

const KEY: &str = "correct-horse-battery";

async fn stats(api: &TestApi, part: &str) -> Value {
    let answer = api.get(&format!("/api/stats{part}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn post(api: &TestApi, path: &str, body: &Value) -> Value {
    let answer = api.post_json(path, body).await;
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.json()
}

async fn placed(api: &TestApi, student: &str, company: &str, package: Value) {
    post(api, "/v1/placements", &json!({"student": student, "company": company, "package": package})).await;
}

async fn subscribed(api: &TestApi, user_id: Option<i64>) {
    let id = PushSubscriptionId::new().0;
    let row = push_subscription::ActiveModel {
        id: Set(id),
        endpoint: Set(format!("https://push.test/{id}")),
        lane_id: Set(Uuid::nil()),
        p256dh: Set(vec![4; 65]),
        auth: Set(vec![0; 16]),
        user_id: Set(user_id),
        created_at: Set(1),
        updated_at: Set(1),
        reached_at: Set(None),
    };
    let insert = push_subscription::Entity::insert(row);
    insert.exec_without_returning(api.context.database.writer()).await.expect("a row");
}

async fn announced(api: &TestApi, notice: Option<&Value>, channel: &str) {
    let notice_id = notice.map(|notice| notice["id"].as_str().expect("an id").parse().expect("a UUID"));
    let row = broadcast::ActiveModel {
        id: Set(BroadcastId::new().0),
        event_id: Set(EventId::new().0),
        channel: Set(channel.to_owned()),
        notice_id: Set(notice_id),
        total: Set(0),
        queued: Set(0),
        created_at: Set(1),
        ..Default::default()
    };
    let insert = broadcast::Entity::insert(row);
    insert.exec_without_returning(api.context.database.writer()).await.expect("a row");
}

on_both_databases! {
    async fn without_rows_all_counts_are_zero(api: TestApi) {
        let none = json!({
            "placement_stats": {"students_placed": 0, "companies": 0, "offers": 0, "highest_package": null,
                                "average_package": null, "median_package": null, "by_company": []},
            "notice_stats": {"total": 0, "sent": {"telegram": 0, "web_push": 0},
                             "pending": {"telegram": 0, "web_push": 0}, "by_type": []},
            "user_stats": {"total": 0, "active": 0, "with_telegram": 0, "with_web_push": 0},
        });
        assert_eq!(stats(&api, "").await, none);
        for (part, name) in
            [("/placements", "placement_stats"), ("/notices", "notice_stats"), ("/users", "user_stats")]
        {
            assert_eq!(stats(&api, part).await, none[name], "{part}");
        }
    }

    async fn placements_are_summarised(api: TestApi) {
        placed(&api, "ann", "Zeta", json!(null)).await;
        let reply = stats(&api, "/placements").await;
        assert_eq!((&reply["offers"], &reply["median_package"]), (&json!(1), &json!(null)), "no package at all");
        placed(&api, "ann", "acme", json!(10)).await;
        placed(&api, "bob", "acme", json!(20)).await;
        placed(&api, "bob", "acme", json!(25.5)).await;
        let reply = stats(&api, "/placements").await;
        assert_eq!(reply["median_package"], json!(20.0), "the middle of three");
        placed(&api, "cem", "Ämter", json!(30.25)).await;
        let reply = stats(&api, "/placements").await;
        assert_eq!(reply, json!({
            "students_placed": 3, "companies": 3, "offers": 5, "highest_package": 30.25,
            "average_package": 21.4375, "median_package": 22.75,
            "by_company": [
                {"company": "acme", "offers": 3, "students": 2, "highest_package": 25.5, "average_package": 18.5},
                {"company": "Zeta", "offers": 1, "students": 1, "highest_package": null, "average_package": null},
                {"company": "Ämter", "offers": 1, "students": 1, "highest_package": 30.25, "average_package": 30.25},
            ],
        }));
    }

    async fn a_repeating_mean_is_rounded_the_same_on_both_databases(api: TestApi) {
        for package in [1e-4, 2e-4, 0.333_33, 1e12, 7.0, 1.0 / 3.0, 0.1] {
            placed(&api, "ann", "acme", json!(package)).await;
        }
        let reply = stats(&api, "/placements").await;
        assert_eq!(reply["average_package"], json!(142_857_142_858.252_4), "{reply}");
        assert_eq!(reply["median_package"], json!(0.3333));
    }

    async fn companies_are_listed_up_to_a_limit_by_offers_and_name(api: TestApi) {
        let all: Vec<_> = (0..101).map(|n| json!({"student": "s", "company": format!("c{n:03}")})).collect();
        post(&api, "/v1/placements/batch", &json!({ "placements": all })).await;
        placed(&api, "s", "c100", json!(1)).await;
        let reply = stats(&api, "/placements").await;
        let names: Vec<_> = reply["by_company"].as_array().expect("rows").iter().map(|row| row["company"].clone()).collect();
        assert_eq!((names.len(), &names[0], &names[1], &names[99]), (100, &json!("c100"), &json!("c000"), &json!("c098")));
        assert_eq!((&reply["companies"], &reply["offers"]), (&json!(101), &json!(102)));
    }

    async fn notices_are_counted_by_channel_and_type(api: TestApi) {
        let mut notices = vec![];
        for kind in ["exam", "general", "exam", "Zulu"] {
            notices.push(post(&api, "/v1/notices", &json!({"title": "t", "message": "m", "type": kind})).await);
        }
        for (notice, channel) in [(0, "telegram"), (0, "web_push"), (1, "telegram"), (3, "telegram")] {
            announced(&api, Some(&notices[notice]), channel).await;
        }
        announced(&api, None, "telegram").await;
        let last = notices[3]["id"].as_str().expect("an id");
        assert_eq!(api.delete(&format!("/v1/notices/{last}")).await.status, 204);
        assert_eq!(stats(&api, "/notices").await, json!({
            "total": 3, "sent": {"telegram": 2, "web_push": 1}, "pending": {"telegram": 1, "web_push": 2},
            "by_type": [{"type": "exam", "count": 2}, {"type": "general", "count": 1}],
        }));
    }

    async fn a_user_is_counted_once(api: TestApi) {
        for body in [
            json!({"chat_id": 1, "user_id": 10}),
            json!({"chat_id": 2, "active": false}),
            json!({"user_id": 11}),
            json!({"user_id": 12, "active": false}),
        ] {
            post(&api, "/v1/subscribers", &body).await;
        }
        // Two browsers of a subscriber, one of another, two of another user, two without a user.
        for user in [Some(10), Some(10), Some(12), Some(99), Some(99), None, None] {
            subscribed(&api, user).await;
        }
        let reply = stats(&api, "/users").await;
        assert_eq!(reply, json!({"total": 7, "active": 5, "with_telegram": 2, "with_web_push": 5}));
        assert_eq!(stats(&api, "").await["user_stats"], reply);
    }
}

#[tokio::test]
async fn only_an_administrator_may_read_them() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    for part in ["", "/placements", "/notices", "/users"] {
        let path = format!("/api/stats{part}");
        let answer = api.get(&path).await;
        assert_eq!((answer.status, answer.json()), (401, json!({"detail": "A valid API key is required"})));
        assert_eq!(api.send("GET", &path, &[("x-api-key", KEY)], b"").await.status, 200);
    }
}

#[tokio::test]
async fn slow_counts_are_aborted() {
    let limits = Limits { stall: STALL, search: Duration::ZERO, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let all: Vec<_> =
        (0..1_000).map(|n| json!({"student": format!("s{n}"), "company": format!("c{n}")})).collect();
    for _ in 0..5 {
        post(&api, "/v1/placements/batch", &json!({ "placements": all })).await;
    }
    let answer = api.get("/api/stats").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(
        answer.json()["detail"].is_string() && answer.json().as_object().map(serde_json::Map::len) == Some(1)
    );
}
