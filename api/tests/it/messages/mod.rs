//! The messages API over HTTP, on both databases: each signed message is stored once, listed and counted.

mod bodies;
mod copies;
mod listed;
mod observed;
mod plans;
mod searched;
mod signed;
mod stats;

use serde_json::{Value, json};
use testkit::ingest::{message, signature};

use crate::harness::{Answer, TestApi};

impl TestApi {
    fn ingest_secret(&self) -> &str {
        self.context.config.webhook_secret.as_ref().expect("made at the first start").expose()
    }

    /// Sends these bytes, signed, with more headers.
    async fn signed(&self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let signature = signature(self.ingest_secret(), body);
        let headers = [&[("x-signature", signature.as_str())], headers].concat();
        self.send("POST", "/webhook", &headers, body).await
    }

    async fn ingest(&self, message: &Value) -> Answer {
        self.signed(message.to_string().as_bytes(), &[("content-type", "application/json")]).await
    }

    /// Sends a message that is taken.
    async fn taken(&self, message: &Value) {
        self.ingest(message).await.is_taken();
    }

    /// Sends the message of the documents with some members changed.
    async fn taken_with(&self, changes: Value) {
        self.taken(&with(changes)).await;
    }

    /// The ids of a page, and its total.
    async fn ids(&self, query: &str) -> (Vec<String>, i64) {
        let answer = self.get(&format!("/messages?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let reply = answer.json();
        let rows = reply["data"].as_array().expect("rows").iter();
        let ids = rows.map(|row| row["message_id"].as_str().expect("an id").to_owned()).collect();
        (ids, reply["total"].as_i64().expect("a number"))
    }
}

impl Answer {
    #[track_caller]
    fn is_taken(&self) {
        assert_eq!((self.status, self.text()), (200, r#"{"status":"ok"}"#), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
    }

    /// The faults of a 422, as `where: type`.
    #[track_caller]
    fn faults(&self) -> Vec<String> {
        assert_eq!((self.status, self.header("content-type")), (422, Some("application/json")), "{self:?}");
        let reply = self.json();
        assert_eq!(reply.as_object().map(serde_json::Map::len), Some(1), "{self:?}");
        let faults = reply["detail"].as_array().expect("a list").iter();
        faults
            .map(|fault| {
                let keys: Vec<_> = fault.as_object().expect("an object").keys().collect();
                assert_eq!(keys, ["loc", "msg", "type"], "{self:?}");
                assert!(fault["msg"].as_str().is_some_and(|reply| !reply.is_empty()), "{self:?}");
                let place: Vec<_> =
                    fault["loc"].as_array().expect("a path").iter().filter_map(Value::as_str).collect();
                format!("{}: {}", place.join("."), fault["type"].as_str().expect("a word"))
            })
            .collect()
    }
}

/// The message of the documents with some members changed; null takes one away.
fn with(changes: Value) -> Value {
    let mut changed = message("m1");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(changed.as_object_mut().expect("an object").remove(name)),
            value => changed[name] = value.clone(),
        }
    }
    changed
}

/// An empty list of `GET /messages`.
fn nothing() -> Value {
    json!({"data": [], "total": 0, "limit": 50, "offset": 0})
}
