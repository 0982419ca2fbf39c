//! Clients that publish and upload until they are told to stop, and enter in the ledger what was accepted. Nobody repeats a
//! request: each number is asked for once.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Uri};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ledger::Ledger;
use crate::{
    load::{Connection, EVENT_TYPE, PostRequest},
    rig::USER,
};

/// Clients that publish events, and clients that upload files.
const CLIENTS: [usize; 2] = [6, 2];
/// The pace of each client.
const PAUSE: Duration = Duration::from_millis(15);
const BOUNDARY: &str = "----bench-7d4a6d158c9";

/// Load that runs. Ends when it is dropped.
pub(super) struct Load {
    stop: CancellationToken,
    clients: JoinSet<()>,
}

#[derive(Clone)]
struct Client {
    address: String,
    /// Files go there; without it events are published.
    webhook: Option<Uuid>,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
}

impl Load {
    /// Begins.
    pub(super) fn start(address: &str, webhook: Uuid, ledger: &Arc<Ledger>) -> Self {
        let (stop, mut clients) = (CancellationToken::new(), JoinSet::new());
        for (count, webhook) in CLIENTS.into_iter().zip([None, Some(webhook)]) {
            for _ in 0..count {
                let (ledger, stop) = (Arc::clone(ledger), stop.clone());
                clients.spawn(Client { address: address.to_owned(), webhook, ledger, stop }.run());
            }
        }
        Self { stop, clients }
    }

    /// Ends it; requests under way are answered first.
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
        let (status, _) = connection.post(&self.request(number)?).await?;
        if (200..300).contains(&status) {
            self.ledger.accepted(number);
        }
        Ok(connection)
    }

    fn request(&self, number: usize) -> Result<PostRequest> {
        let name = Ledger::name(number);
        match self.webhook {
            Some(webhook) => upload(webhook, &name),
            None => {
                let body = json!({"user_id": USER, "type": EVENT_TYPE, "data": {"file_name": name}});
                Ok(PostRequest::json("/v1/events", &body, 1))
            }
        }
    }
}

fn upload(webhook: Uuid, name: &str) -> Result<PostRequest> {
    let body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n\
         the content of {name}\r\n--{BOUNDARY}--\r\n"
    );
    Ok(PostRequest {
        path: Uri::try_from(format!("/upload_file/webhook_id/{webhook}"))?,
        content_type: HeaderValue::try_from(format!("multipart/form-data; boundary={BOUNDARY}"))?,
        body: Bytes::from(body),
        events: 1,
    })
}
