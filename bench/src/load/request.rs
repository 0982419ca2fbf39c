//! What is posted: one event, or many at once.

use std::io::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cluster::USER;

/// The event type of load.
pub(crate) const EVENT_TYPE: &str = "bench.event";
/// Size of one event's request body, in bytes.
const EVENT_BYTES: usize = 512;

/// The place of a label in a body.
pub(crate) const LABEL_MARK: &str = "@N@";
/// Length of a label.
const LABEL_BYTES: usize = 15;

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct PostRequest {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    /// Events that an accepted one stands for.
    pub(crate) events: u64,
    /// More headers, each a line that ends with CR LF.
    pub(crate) headers: String,
}

impl PostRequest {
    /// One event of 512 bytes to everyone who is registered for it.
    pub(crate) fn event() -> Self {
        Self::json("/v1/events", &event_for(None), 1)
    }

    /// Many such events in one request.
    pub(crate) fn batch(events: u64, endpoint: Option<Uuid>) -> Self {
        let all: Vec<Value> = (0..events).map(|_| event_for(endpoint)).collect();
        Self::json("/v1/events/batch", &json!({"events": all}), events)
    }

    /// Any JSON to a path of the API.
    pub(crate) fn json(path: &str, body: &Value, events: u64) -> Self {
        Self {
            path: path.to_owned(),
            content_type: "application/json".to_owned(),
            body: body.to_string().into(),
            events,
            headers: String::new(),
        }
    }

    /// Adds a header. Neither may hold a line break.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }

    /// The same request with each `@N@` of its body replaced by `label`.
    pub(crate) fn labelled(&self, label: &str) -> Self {
        let body = String::from_utf8_lossy(&self.body).replace(LABEL_MARK, label);
        Self { body: body.into(), ..self.clone() }
    }

    /// One event of 512 bytes for a user's endpoints, with a place for a label.
    pub(crate) fn labelled_event(user: u64) -> Self {
        let mut event =
            json!({"user_id": user, "type": EVENT_TYPE, "data": {"number": LABEL_MARK, "text": ""}});
        let room = EVENT_BYTES.saturating_sub(event.to_string().len() + LABEL_BYTES - LABEL_MARK.len());
        event["data"]["text"] = "x".repeat(room).into();
        Self::json("/v1/events", &event, 1)
    }

    /// The same event to one endpoint alone.
    pub(crate) fn addressed_to(mut self, endpoint: Uuid) -> Self {
        let members = format!("{{\"endpoint_ids\":[\"{endpoint}\"],");
        self.body = [members.as_bytes(), self.body.get(1..).unwrap_or_default()].concat().into();
        self
    }

    /// Adds it to `out` as HTTP/1.1 has it (RFC 9112, section 3).
    pub(super) fn write_to(&self, out: &mut Vec<u8>, host: &str) {
        let Self { path, content_type, body, headers, .. } = self;
        let length = body.len();
        write!(out, "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n")
            .expect("memory takes all");
        out.extend_from_slice(headers.as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }
}

fn event_for(endpoint: Option<Uuid>) -> Value {
    let mut event = json!({"user_id": USER, "type": EVENT_TYPE, "data": {"text": ""}});
    let room = EVENT_BYTES.saturating_sub(event.to_string().len());
    event["data"]["text"] = "x".repeat(room).into();
    if let Some(endpoint) = endpoint {
        event["endpoint_ids"] = json!([endpoint]);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_512_bytes() {
        assert_eq!(PostRequest::event().body.len(), EVENT_BYTES);
    }

    #[test]
    fn a_labelled_event_has_512_bytes_and_its_label() {
        let event = PostRequest::labelled_event(USER).labelled("123456000000001");
        assert_eq!(event.body.len(), EVENT_BYTES);
        let body: Value = serde_json::from_slice(&event.body).expect("JSON");
        assert_eq!(body["data"]["number"], "123456000000001");
    }

    #[test]
    fn an_event_can_be_addressed() {
        let endpoint = Uuid::from_u128(7);
        let event = PostRequest::labelled_event(USER).addressed_to(endpoint);
        let body: Value = serde_json::from_slice(&event.body).expect("JSON");
        assert_eq!((&body["endpoint_ids"], &body["type"]), (&json!([endpoint]), &json!(EVENT_TYPE)));
    }

    #[test]
    fn headers_stand_before_the_body() {
        let request = PostRequest::json("/p", &json!(1), 1).with_header("Authorization", "Bearer t");
        let mut out = vec![];
        request.write_to(&mut out, "127.0.0.1:1");
        assert!(
            String::from_utf8_lossy(&out).ends_with("content-length: 1\r\nAuthorization: Bearer t\r\n\r\n1")
        );
    }

    #[test]
    fn a_batch_holds_each_event_whole() {
        let batch: Value = serde_json::from_slice(&PostRequest::batch(1_000, None).body).expect("JSON");
        let events = batch["events"].as_array().expect("a list");
        assert_eq!((events.len(), events[999].to_string().len()), (1_000, EVENT_BYTES));
    }
}
