//! The bare limit of the machine: the product's own sender signs and posts the same body to the same receiver, and nothing
//! is stored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use channels::{Guard, SenderOptions, WebhookRequest, WebhookSender, WebhookTarget};
use domain::{
    clock::Millis, delivery::SendResult, endpoint::CustomHeaders, id::EventId, signature::SigningSecret,
};
use tokio::task::JoinSet;

use crate::receiver::Receiver;

const DEADLINE: Duration = Duration::from_secs(10);

/// Measures the deliveries per second without storage: sends the first body that the receiver got, with this many concurrent
/// sends.
pub(crate) async fn bare_limit(receiver: &Receiver, length: Duration, at_once: usize) -> Result<f64> {
    let body = receiver.sample().context("nothing has arrived yet")?;
    let guard = Guard::new(vec!["127.0.0.0/8".parse().expect("a network")]);
    let sender = WebhookSender::new(guard, &SenderOptions::default())?;
    let url = receiver.url("/bare").parse()?;
    let target = WebhookTarget::new(url, &CustomHeaders::default(), SigningSecret::generate().into());
    let (target, sent) = (Arc::new(target), Arc::new(AtomicU64::new(0)));
    let (begun, mut tasks) = (Instant::now(), JoinSet::new());
    for _ in 0..at_once {
        let one = send_until(begun + length, sender.clone(), Arc::clone(&target), body.clone());
        let sent = Arc::clone(&sent);
        tasks.spawn(async move { one.await.map(|count| sent.fetch_add(count, Relaxed)) });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(sent.load(Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

async fn send_until(
    end: Instant,
    sender: WebhookSender,
    target: Arc<WebhookTarget>,
    body: Bytes,
) -> Result<u64> {
    let mut sent = 0;
    while Instant::now() < end {
        let (event_id, body) = (EventId::new(), body.clone());
        let request = WebhookRequest { event_id, target: &target, body, deadline: DEADLINE, sent_at: now() };
        let report = sender.send(request).await;
        ensure!(report.result == SendResult::Accepted, "the receiver refused: {:?}", report.error);
        sent += 1;
    }
    Ok(sent)
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
