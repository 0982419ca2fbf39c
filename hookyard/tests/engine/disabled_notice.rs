//! The owner of a disabled endpoint is notified once, on the owner's other endpoints.

use domain::id::EndpointId;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Receiver, TestApp, on_both_shapes};
use uuid::Uuid;
use worker::maintenance::lanes::notify_owners;

const TYPE: &str = "0199b0c0-0000-7000-8000-00000000d15a";

async fn change(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect("changed");
}

fn id(app: &TestApp, id: Uuid) -> String {
    match app.context.database.pool() {
        platform::database::Pool::Postgres(_) => format!("'{id}'"),
        platform::database::Pool::Sqlite(_) => format!("x'{}'", id.simple()),
    }
}

/// Registers for `endpoint.disabled`, a type that is there from the first call on.
async fn listening(app: &TestApp, user: i64, url: &str) -> EndpointId {
    let known = id(app, TYPE.parse().expect("an id"));
    change(app, &format!("INSERT INTO event_type (id, name, created_at) VALUES ({known}, 'endpoint.disabled', 0) ON CONFLICT DO NOTHING")).await;
    app.register_with(json!({"event_type_id": TYPE, "user_id": user, "url": url})).await
}

async fn disable(app: &TestApp, endpoint: EndpointId) {
    let id = id(app, endpoint.0);
    change(app, &format!("UPDATE lane SET state = 'disabled', off_reason = 'gone', off_since = 1800000000000, tell_owner = true WHERE id = {id}")).await;
}

on_both_shapes! {
    async fn only_the_owners_other_endpoints_are_notified_once(app: TestApp) {
        let (own, other, strange) = (Receiver::start(0).await, Receiver::start(0).await, Receiver::start(0).await);
        let (own, other, strange) = (own.expect("one"), other.expect("one"), strange.expect("one"));
        let broken = listening(&app, 1, &own.url("/broken")).await;
        listening(&app, 1, &other.url("/")).await;
        listening(&app, 2, &strange.url("/")).await;
        let deleted = listening(&app, 1, &strange.url("/deleted")).await;
        change(&app, &format!("UPDATE lane SET state = 'deleted' WHERE id = {}", id(&app, deleted.0))).await;
        disable(&app, broken).await;
        let looks = futures_util::future::join_all((0..4).map(|_| notify_owners(&app.context))).await;
        assert_eq!(looks.into_iter().map(|look| look.expect("a look")).sum::<u64>(), 1);
        assert_eq!(notify_owners(&app.context).await.expect("a look"), 0, "once");
        app.drain().await;
        assert_eq!((own.count(), other.count(), strange.count()), (0, 1, 0));
        let body: Value = serde_json::from_slice(&other.calls()[0].body).expect("JSON");
        assert_eq!(body["type"], "endpoint.disabled");
        let data = json!({"endpoint_id": broken.to_string(), "url": own.url("/broken"), "reason": "gone", "disabled_at": "2027-01-15T08:00:00.000Z"});
        assert_eq!(body["data"], data);
    }

    async fn an_owner_who_resumed_before_is_not_notified(app: TestApp) {
        let broken = listening(&app, 1, "http://127.0.0.1:9/a").await;
        listening(&app, 1, "http://127.0.0.1:9/b").await;
        disable(&app, broken).await;
        change(&app, "UPDATE lane SET state = 'active'").await;
        assert_eq!(notify_owners(&app.context).await.expect("a look"), 0);
        assert_eq!(app.counts().await, (0, 0));
    }
}
