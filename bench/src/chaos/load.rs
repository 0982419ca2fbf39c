//! Clients that publish and upload until they are stopped, and enter accepted requests in the ledger. No request is repeated:
//! each number is used once.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    cluster::USER,
    ledger::Ledger,
    load::{Connection, EVENT_TYPE, PostRequest},
};

/// Endpoints, each with a client of its own: what gathers while a lane rests is drained at a bounded rate for each.
pub(super) const CLIENTS: usize = 16;
/// Of them upload files; the others publish events.
pub(super) const UPLOADERS: usize = 4;
/// The pace of each client.
const PAUSE: Duration = Duration::from_millis(40);
const BOUNDARY: &str = "----bench-7d4a6d158c9";

/// Load that runs. Ends when it is dropped.
pub(super) struct Load {
    stop: CancellationToken,
    clients: JoinSet<()>,
}

#[derive(Clone)]
struct Client {
    address: String,
    /// All that this client makes goes there.
    endpoint: Uuid,
    uploads: bool,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
}

impl Load {
    /// Begins: a client for each endpoint.
    pub(super) fn start(address: &str, endpoints: &[Uuid], ledger: &Arc<Ledger>) -> Self {
        let (stop, mut clients) = (CancellationToken::new(), JoinSet::new());
        for (number, endpoint) in endpoints.iter().copied().enumerate() {
            let (address, uploads) = (address.to_owned(), number < UPLOADERS);
            let (ledger, stop) = (Arc::clone(ledger), stop.clone());
            clients.spawn(Client { address, endpoint, uploads, ledger, stop }.run());
        }
        Self { stop, clients }
    }

    /// Stops it after requests in progress are answered.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.clients.join_next().await.is_some() {}
    }
}

impl Client {
    async fn run(self) {
        let mut connection = None;
        while !self.stop.is_cancelled() {
            let Some(number) = self.ledger.next() else { return };
            connection = self.one(number, connection).await.ok();
            self.stop.run_until_cancelled(sleep(PAUSE)).await;
        }
    }

    /// One request; gives the connection back when it can be used again.
    async fn one(&self, number: usize, connection: Option<Connection>) -> Result<Connection> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        let (status, _) = connection.post(&self.request(number)).await?;
        self.ledger.answered(number, Some(status));
        Ok(connection)
    }

    fn request(&self, number: usize) -> PostRequest {
        let name = format!("chaos-{}.txt", self.ledger.label(number));
        if self.uploads {
            return upload(self.endpoint, &name);
        }
        let (endpoints, data) = (json!([self.endpoint]), json!({"file_name": name}));
        let body = json!({"user_id": USER, "type": EVENT_TYPE, "endpoint_ids": endpoints, "data": data});
        PostRequest::json("/v1/events", &body, 1)
    }
}

fn upload(webhook: Uuid, name: &str) -> PostRequest {
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n\
         the content of {name}\r\n--{BOUNDARY}--\r\n"
    );
    PostRequest {
        path: format!("/upload_file/webhook_id/{webhook}"),
        content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
        body: Bytes::from(body),
        events: 1,
        headers: String::new(),
    }
}
