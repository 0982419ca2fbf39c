//! A hundred healthy endpoints beside one that never answers and has 100,000 deliveries due: how much later do the others
//! get theirs?

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Plan, Stand, latency::Latencies};
use crate::{
    load::{Arrivals, Connection, Open, PostRequest},
    receiver::HANG,
    report::Report,
    rig::{Setup, Shape},
};

const HEALTHY: usize = 100;
const DUE: u64 = 100_000;
const BATCH: u64 = 1_000;
/// Events a second to the healthy ones, together.
const PER_SECOND: f64 = 400.0;
const ARRIVE_WITHIN: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The others may take so many times what they take alone, and so many ms more.
const MOST_TIMES: f64 = 2.0;
const SLACK_MS: f64 = 20.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let arrivals = Arrivals::new();
    let noted = arrivals.clone();
    let watch = move |headers: &http::HeaderMap, _: &bytes::Bytes| noted.note(headers);
    let stand = Stand::watched(shape, &Setup::default(), HEALTHY, watch).await?;
    let alone = healthy(&stand, &arrivals, plan.seconds(8, 30)).await?;
    let hanging = make_hanging(&stand).await?;
    publish_to(&stand, hanging).await?;
    let beside = healthy(&stand, &arrivals, plan.seconds(10, 60)).await?;
    let waiting = stand.rig.store().count("delivery").await;

    let (alone_p99, p99) = (alone.arrival.quantile_ms(0.99), beside.arrival.quantile_ms(0.99));
    let most = alone_p99 * MOST_TIMES + SLACK_MS;
    let mut report = Report::new("neighbours", shape);
    report
        .figure("alone_p50_ms", alone.arrival.quantile_ms(0.5))
        .figure("alone_p99_ms", alone_p99)
        .figure("p50_ms", beside.arrival.quantile_ms(0.5))
        .figure("p99_ms", p99)
        .figure("refused", (alone.refused + beside.refused) as f64)
        .figure("still_due_to_the_hanging_one", waiting as f64)
        .goal(format!("p99 ≤ twice that alone + 20 ms = {most:.0} (is {p99:.0})"), p99 <= most);
    Ok(report)
}

/// Publishes to the healthy endpoints in turn, until all of it has arrived.
async fn healthy(stand: &Stand, arrivals: &Arrivals, length: Duration) -> Result<Latencies> {
    let before = stand.receiver.count();
    let requests = stand.endpoints.iter().map(|endpoint| PostRequest::event_to(*endpoint)).collect();
    let open = Open { address: stand.rig.address(), requests, per_second: PER_SECOND, length };
    let published = open.run().await?;
    let accepted = published.iter().filter(|one| one.event.is_some()).count() as u64;
    let end = Instant::now() + ARRIVE_WITHIN;
    while stand.receiver.count() < before + accepted {
        ensure!(Instant::now() < end, "healthy deliveries did not arrive within {ARRIVE_WITHIN:?}");
        sleep(LOOK_EVERY).await;
    }
    Ok(Latencies::of(&published, arrivals))
}

async fn make_hanging(stand: &Stand) -> Result<Uuid> {
    let api = stand.rig.api();
    api.make_event_type("bench.hanging").await?;
    api.make_endpoint(&stand.receiver.url(HANG), "bench.hanging").await
}

async fn publish_to(stand: &Stand, endpoint: Uuid) -> Result<()> {
    let mut connection = Connection::open(&stand.rig.address()).await?;
    let batch = PostRequest::batch(BATCH, Some(endpoint));
    for _ in 0..DUE / BATCH {
        let (status, _) = connection.post(&batch).await?;
        ensure!(status == 202, "a batch was answered {status}");
    }
    Ok(())
}
