//! Acts as an integrator: registers, uploads, publishes.

use api::accept::{AcceptError, Accepted, NewEvent};
use domain::id::{EndpointId, EventId, EventTypeId, UserId};
use entity::event_type;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json, value::RawValue};

use super::TestApp;

/// The id of the seeded event type `upload file`.
pub const UPLOAD_FILE: &str = "21f8e1f7-4142-42f9-ac30-74961702b2eb";
/// The default user of tests.
pub const USER: UserId = UserId(1);

const BOUNDARY: &str = "011000010111000001101001";

impl TestApp {
    /// Registers a webhook for `upload file` over HTTP.
    ///
    /// # Panics
    /// When it is rejected.
    pub async fn register(&self, url: &str) -> EndpointId {
        self.register_with(json!({"event_type_id": UPLOAD_FILE, "user_id": USER.0, "url": url})).await
    }

    /// Registers over HTTP with this body.
    ///
    /// # Panics
    /// When it is rejected.
    pub async fn register_with(&self, body: Value) -> EndpointId {
        let answer = self.post("/webhook/register").json(&body).send().await.expect("an answer");
        let status = answer.status();
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(status, 200, "{answer}");
        answer["data"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    /// Uploads a file over HTTP and returns the status.
    ///
    /// # Panics
    /// When there is no response.
    pub async fn upload(&self, endpoint: EndpointId, name: &str, bytes: impl Into<Vec<u8>>) -> u16 {
        let request = self.post(&format!("/upload_file/webhook_id/{endpoint}"));
        let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        let body = multipart(name, &bytes.into());
        request.body(body).send().await.expect("an answer").status().as_u16()
    }

    /// Publishes an event of type `upload file` for [`USER`] without HTTP.
    ///
    /// # Errors
    /// When it was not accepted.
    pub async fn publish(&self, data: Value) -> Result<(EventId, Accepted), AcceptError> {
        let event = NewEvent {
            id: EventId::new(),
            user_id: Some(USER),
            event_type: "upload file".to_owned(),
            data: RawValue::from_string(data.to_string()).expect("JSON"),
            request_id: None,
        };
        let id = event.id;
        self.accept.event(event).await.map(|accepted| (id, accepted))
    }

    /// Creates an event type and returns its id.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn event_type(&self, name: &str) -> EventTypeId {
        let id = EventTypeId::new();
        let row = event_type::ActiveModel {
            id: Set(id.0),
            name: Set(name.to_owned()),
            description: Set(String::new()),
            created_at: Set(self.clock.now().0),
        };
        event_type::Entity::insert(row).exec(self.context.database.writer()).await.expect("an event type");
        id
    }

    /// Posts JSON byte for byte; returns status and body.
    ///
    /// # Panics
    /// When the response is not JSON.
    pub async fn post_json(&self, path: &str, body: impl ToString) -> (u16, Value) {
        let request = self.post(path).header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Gets JSON; returns status and body.
    ///
    /// # Panics
    /// When the response is not JSON.
    pub async fn get_json(&self, path: &str) -> (u16, Value) {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }
}

/// Renders a form with one part `file`, as curl does.
fn multipart(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}
