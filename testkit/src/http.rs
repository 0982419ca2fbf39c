//! A client of the uploads API: registers webhooks and uploads files, many at once.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use uuid::Uuid;

/// The event type of uploads.
pub const UPLOAD_FILE: &str = "21f8e1f7-4142-42f9-ac30-74961702b2eb";
/// The event type of ingested messages.
pub const MESSAGE_RECEIVED: &str = "018de8f5-6960-7c52-8c79-6b5bde1f0001";
/// Longest wait for a response.
const PATIENCE: Duration = Duration::from_secs(60);
const BOUNDARY: &str = "----testkit-7d4a6d158c9";

/// A client of one API.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// The result of an upload.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The file's name.
    pub name: String,
    /// The status; none when the connection broke.
    pub status: Option<u16>,
    /// Time from request to response.
    pub took: Duration,
}

impl Sent {
    /// Whether it was accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status == Some(200)
    }
}

impl Client {
    /// Creates a client of the API at `base`, such as `http://127.0.0.1:8081`.
    ///
    /// # Panics
    /// Never, but for a broken machine.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { base: base.into(), http }
    }

    /// Whether the API reports that it is ready.
    pub async fn is_ready(&self) -> bool {
        let asked = self.http.get(format!("{}/health/ready", self.base)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Registers a webhook for uploads.
    ///
    /// # Panics
    /// When it is rejected.
    pub async fn register(&self, url: &str) -> Uuid {
        self.register_for(UPLOAD_FILE, url).await
    }

    /// Registers a webhook for an event type, by id, as user 1.
    ///
    /// # Panics
    /// When it is rejected.
    pub async fn register_for(&self, event_type: &str, url: &str) -> Uuid {
        let body = json!({"event_type_id": event_type, "user_id": 1, "url": url});
        let sent = self.http.post(format!("{}/webhook/register", self.base)).json(&body).send().await;
        let answer: Value = sent.expect("the API answers").json().await.expect("JSON");
        let id = answer["data"]["id"].as_str().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("not registered: {answer}"))
    }

    /// Uploads a file.
    pub async fn upload(&self, webhook: Uuid, name: &str, content: &[u8]) -> Sent {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let end = format!("\r\n--{BOUNDARY}--\r\n");
        self.send(webhook, name, [head.as_bytes(), content, end.as_bytes()].concat().into()).await
    }

    /// Uploads `chunks` chunks of the same bytes as one file, without holding it in memory.
    pub async fn upload_large(&self, webhook: Uuid, name: &str, chunk: &'static [u8], chunks: usize) -> Sent {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let parts = stream::iter([head.into_bytes()])
            .chain(stream::iter(std::iter::repeat_n(chunk, chunks)).map(<[u8]>::to_vec))
            .chain(stream::iter([format!("\r\n--{BOUNDARY}--\r\n").into_bytes()]));
        self.send(webhook, name, reqwest::Body::wrap_stream(parts.map(Ok::<_, std::io::Error>))).await
    }

    /// Uploads a small text for each name, `at_once` at a time. Returns the results in the order of responses.
    pub async fn upload_each(
        &self,
        webhook: Uuid,
        names: impl IntoIterator<Item = String>,
        at_once: usize,
    ) -> Vec<Sent> {
        let uploads = stream::iter(names).map(|name| async move {
            let content = format!("the content of {name}\n");
            self.upload(webhook, &name, content.as_bytes()).await
        });
        uploads.buffer_unordered(at_once).collect().await
    }

    async fn send(&self, webhook: Uuid, name: &str, body: reqwest::Body) -> Sent {
        let start = Instant::now();
        let sent = self
            .http
            .post(format!("{}/upload_file/webhook_id/{webhook}", self.base))
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(body)
            .send()
            .await;
        let status = sent.ok().map(|answer| answer.status().as_u16());
        Sent { name: name.to_owned(), status, took: start.elapsed() }
    }
}
