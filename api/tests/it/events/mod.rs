//! `/v1/events`: what is taken, what is refused and how, and what an event tells afterwards.

mod batch;
mod keys;
mod named;
mod publish;
mod remembered;
mod show;

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

use crate::{
    both::on_both_databases,
    harness::{Answer, STALL, TestApi, UPLOAD_FILE},
};

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
    let reply = answer.problem(422, "validation_failed");
    let fields: Vec<_> = reply["errors"].as_array().expect("errors").iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, [field], "{answer:?}");
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
                user_id: Set(1),
            });
            let insert = endpoint_event_type::Entity::insert_many(registered);
            insert.exec_without_returning(db).await.expect("registrations");
        }
    }
}
