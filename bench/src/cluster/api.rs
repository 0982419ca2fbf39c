//! Sets up event types and endpoints through the API before load starts.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

/// The user that everything of a run belongs to.
pub(crate) const USER: u64 = 1;
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one API.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    http: reqwest::Client,
}

impl Api {
    pub(super) fn new(address: &str) -> Self {
        // An earlier call has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a plain client");
        Self { base: format!("http://{address}"), http }
    }

    /// Whether a health page says so.
    pub(super) async fn is_well(&self, url: &str) -> bool {
        self.http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Creates an event type.
    pub(crate) async fn make_event_type(&self, name: &str) -> Result<()> {
        self.post("/v1/event-types", &json!({"name": name})).await.map(drop)
    }

    /// Creates an endpoint for one event type.
    pub(crate) async fn make_endpoint(&self, url: &str, event_type: &str) -> Result<Uuid> {
        let body = json!({"user_id": USER, "url": url, "event_types": [event_type]});
        let made = self.post("/v1/endpoints", &body).await?;
        let id = made["id"].as_str().and_then(|id| id.parse().ok());
        id.with_context(|| format!("an endpoint has an id: {made}"))
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.http.post(format!("{}{path}", self.base)).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).with_context(|| format!("{path}: {text}"))
    }
}
