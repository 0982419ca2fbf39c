//! Signed messages, each new, in a closed loop: how many are accepted a second. No endpoint is registered for them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use domain::signature::IngestKey;
use serde_json::json;
use tokio::task::JoinSet;

use super::Plan;
use crate::{
    cluster::{Cluster, ClusterOptions, INGEST_SECRET, Shape},
    load::{Connection, PostRequest},
    measure::{Histogram, Meter},
    report::Report,
};

const CONNECTIONS: usize = 256;
const WARM_UP: Duration = Duration::from_secs(2);

/// What one loop came to.
#[derive(Default)]
struct Loaded {
    accepted: u64,
    refused: u64,
    latencies: Histogram,
}

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let cluster = Cluster::start(shape, &ClusterOptions::default()).await?;
    load(&cluster, "warm", WARM_UP).await?;
    let before = cluster.store().count("message").await;
    let (meter, begun) = (Meter::start(&cluster), Instant::now());
    let loaded = load(&cluster, "m", plan.seconds(8, 30)).await?;
    let took = begun.elapsed().as_secs_f64();
    let mut report = Report::new("ingest", shape);
    report.costs = meter.costs(&cluster);
    let stored = cluster.store().count("message").await - before;
    ensure!(stored >= loaded.accepted, "{} were answered with 200, {stored} are stored", loaded.accepted);
    let cpu: f64 = report.costs.iter().filter(|cost| cost.part != "bench").map(|cost| cost.cpu_s).sum();
    report
        .figure("accepted_per_s", loaded.accepted as f64 / took)
        .figure("refused", loaded.refused as f64)
        .figure("accept_p50_ms", loaded.latencies.quantile_ms(0.5))
        .figure("accept_p99_ms", loaded.latencies.quantile_ms(0.99))
        .figure("cpu_s_per_1000", cpu * 1_000.0 / loaded.accepted as f64);
    Ok(report)
}

async fn load(cluster: &Cluster, name: &'static str, length: Duration) -> Result<Loaded> {
    let (key, end) = (Arc::new(IngestKey::new(INGEST_SECRET.as_bytes())), Instant::now() + length);
    let mut clients = JoinSet::new();
    for client in 0..CONNECTIONS {
        clients.spawn(send(cluster.address(), Arc::clone(&key), format!("{name}-{client}"), end));
    }
    let mut all = Loaded::default();
    while let Some(one) = clients.join_next().await {
        let one = one??;
        all.accepted += one.accepted;
        all.refused += one.refused;
        all.latencies.add(&one.latencies);
    }
    ensure!(all.accepted > 0, "nothing was accepted, {} were refused", all.refused);
    Ok(all)
}

async fn send(address: String, key: Arc<IngestKey>, name: String, end: Instant) -> Result<Loaded> {
    let (mut loaded, mut connection) = (Loaded::default(), Connection::open(&address).await?);
    for number in 0_u64.. {
        if Instant::now() >= end {
            break;
        }
        let request = message(&key, &format!("{name}-{number}"), number);
        let asked = Instant::now();
        match connection.post(&request).await? {
            (200, _) => {
                loaded.accepted += 1;
                loaded.latencies.record(asked.elapsed());
            }
            _ => loaded.refused += 1,
        }
    }
    Ok(loaded)
}

fn message(key: &IngestKey, id: &str, number: u64) -> PostRequest {
    let body = json!({
        "message_id": id,
        "from": format!("+1555{:07}", number % 1_000),
        "to": "+14155550100",
        "ts": "2025-01-15T10:00:00Z",
        "text": "A message as people write them: some words, and a number or two, 12 and 34.",
    });
    let request = PostRequest::json("/webhook", &body, 1);
    let signature = key.sign(&request.body);
    request.with_header("x-signature", &signature)
}
