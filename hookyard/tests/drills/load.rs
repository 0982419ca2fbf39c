//! Clients that upload small files one after the other until they are stopped.

use std::time::Duration;

use testkit::http::{Client, Sent};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The pace of each client.
const BETWEEN_UPLOADS: Duration = Duration::from_millis(25);

pub(crate) struct Load {
    stop: CancellationToken,
    clients: Vec<JoinHandle<Vec<Sent>>>,
}

impl Load {
    /// Begins, with that many clients.
    pub(crate) fn start(client: &Client, webhook: Uuid, clients: usize) -> Self {
        let stop = CancellationToken::new();
        let start = |number| tokio::spawn(uploads(client.clone(), webhook, number, stop.clone()));
        let clients = (0..clients).map(start).collect();
        Self { stop, clients }
    }

    /// Ends it; returns what became of every upload.
    pub(crate) async fn stop(self) -> Vec<Sent> {
        self.stop.cancel();
        let mut sent = vec![];
        for client in self.clients {
            sent.extend(client.await.expect("no panic"));
        }
        sent
    }
}

async fn uploads(client: Client, webhook: Uuid, number: usize, stop: CancellationToken) -> Vec<Sent> {
    let mut sent = vec![];
    while !stop.is_cancelled() {
        let name = format!("client-{number}-file-{}.txt", sent.len());
        sent.push(client.upload(webhook, &name, name.as_bytes()).await);
        stop.run_until_cancelled(tokio::time::sleep(BETWEEN_UPLOADS)).await;
    }
    sent
}
