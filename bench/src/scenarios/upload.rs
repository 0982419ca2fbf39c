//! A file of 1 GiB, streamed: how fast it is stored, and how much memory it takes on the way.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::http::Client;
use tokio::time::sleep;

use crate::{
    cluster::{Cluster, ClusterOptions, Shape},
    measure::Meter,
    receiver::Receiver,
    report::Report,
};

const CHUNK: &[u8] = &[b'x'; 64 * 1_024];
/// 1 GiB.
const CHUNKS: usize = 16_384;
/// How much resident memory may grow by, in MiB.
const MOST_GROWTH_MIB: f64 = 32.0;
const ARRIVE_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) async fn run(shape: Shape) -> Result<Report> {
    let (cluster, receiver) =
        (Cluster::start(shape, &ClusterOptions::default()).await?, Receiver::start().await?);
    let client = Client::new(format!("http://{}", cluster.address()));
    let webhook = client.register(&receiver.url("/files")).await;
    // What is there once and for all is there after a first file.
    ensure!(client.upload(webhook, "small.txt", b"small").await.is_accepted(), "a small file was refused");
    wait_for(&receiver, 1).await?;

    let (peaks, meter, begun) = (peaks_mib(&cluster), Meter::start(&cluster), Instant::now());
    let sent = client.upload_large(webhook, "large.bin", CHUNK, CHUNKS).await;
    ensure!(sent.is_accepted(), "the large file was refused: {sent:?}");
    wait_for(&receiver, 2).await?;
    let arrived = begun.elapsed();

    let mut report = Report::new("upload", shape);
    let mib = (CHUNK.len() * CHUNKS) as f64 / 1_048_576.0;
    report.costs = meter.costs(&cluster);
    report
        .figure("accepted_mb_per_s", mib * 1.048_576 / sent.took.as_secs_f64())
        .figure("accepted_after_s", sent.took.as_secs_f64())
        .figure("arrived_after_s", arrived.as_secs_f64());
    for ((part, before), (_, after)) in peaks.into_iter().zip(peaks_mib(&cluster)) {
        let growth = after - before;
        report
            .figure(format!("{part}_peak_mib"), after)
            .goal(format!("{part}: memory grows ≤ 32 MiB (by {growth:.1})"), growth <= MOST_GROWTH_MIB);
    }
    Ok(report)
}

async fn wait_for(receiver: &Receiver, calls: u64) -> Result<()> {
    let end = Instant::now() + ARRIVE_WITHIN;
    while receiver.count() < calls {
        ensure!(Instant::now() < end, "call {calls} did not arrive within {ARRIVE_WITHIN:?}");
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// The most that each of our processes ever held.
fn peaks_mib(cluster: &Cluster) -> Vec<(String, f64)> {
    let peak = |program| Some(cluster.running(program)?.peak_memory_kib() as f64 / 1_024.0);
    let named = |(number, program)| Some((part(cluster.shape, number), peak(program)?));
    cluster.programs().into_iter().enumerate().filter_map(named).collect()
}

fn part(shape: Shape, number: usize) -> String {
    match (shape, number) {
        (Shape::Embedded, _) => "hookyard".to_owned(),
        (Shape::Cluster, 0) => "api".to_owned(),
        (Shape::Cluster, _) => "worker".to_owned(),
    }
}
