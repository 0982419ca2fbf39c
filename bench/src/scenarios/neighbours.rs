//! A hundred healthy endpoints beside one that never answers and has 100,000 deliveries due: how much later do the others
//! get theirs?

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use uuid::Uuid;

use super::{Plan, Setup, give_up::guard, labelled::run_to_the_end};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    ledger::Sums,
    load::{Connection, Labelled, MakeRequest, Pace, PostRequest},
    receiver::HANG,
    report::Report,
};

const HEALTHY: usize = 100;
const DUE: u64 = 100_000;
const BATCH: u64 = 1_000;
/// Events a second to the healthy ones, together.
const PER_SECOND: f64 = 400.0;
const WARM_UP: Duration = Duration::from_secs(2);
const ARRIVE_WITHIN: Duration = Duration::from_secs(40);
/// The others may take so many times what they take alone, and so many ms more.
const MOST_TIMES: f64 = 2.0;
const SLACK_MS: f64 = 20.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let setup = Setup::with_ledger(shape, &ClusterOptions::default(), HEALTHY).await?;
    setup.saturate(WARM_UP).await?;
    let mut report = Report::new("neighbours", shape);
    guard(&setup.cluster, plan, &mut report, healthy(&setup, plan.seconds(8, 30))).await;
    let alone = setup.ledger.sums();
    publish_to(&setup, make_hanging(&setup).await?).await?;
    guard(&setup.cluster, plan, &mut report, healthy(&setup, plan.seconds(10, 60))).await;
    let beside = setup.ledger.sums();
    let waiting = setup.cluster.store().count("delivery").await;

    let (alone_p99, p99) = (alone.arrival.quantile_ms(0.99), beside.arrival.quantile_ms(0.99));
    let most = alone_p99 * MOST_TIMES + SLACK_MS;
    let refused = |sums: &Sums| sums.asked - sums.accepted;
    report
        .figure("alone_p50_ms", alone.arrival.quantile_ms(0.5))
        .figure("alone_p99_ms", alone_p99)
        .figure("p50_ms", beside.arrival.quantile_ms(0.5))
        .figure("p99_ms", p99)
        .figure("refused", (refused(&alone) + refused(&beside)) as f64)
        .figure("still_due_to_the_hanging_one", waiting as f64)
        .goal(format!("p99 ≤ twice that alone + 20 ms = {most:.0} (is {p99:.0})"), p99 <= most);
    Ok(report)
}

/// Publishes to the healthy endpoints in turn, until all of it has arrived.
async fn healthy(setup: &Setup, length: Duration) -> Result<()> {
    let endpoints = setup.endpoints.clone();
    let event = PostRequest::labelled_event(USER);
    let make: Arc<MakeRequest> = Arc::new(move |number, label: &str| {
        event.labelled(label).addressed_to(endpoints[number % endpoints.len()])
    });
    setup.ledger.begin();
    let (address, ledger) = (setup.cluster.address(), Arc::clone(&setup.ledger));
    let load = Labelled { address, ledger, make, pace: Pace::Open { per_second: PER_SECOND }, length };
    run_to_the_end(&load, ARRIVE_WITHIN).await
}

async fn make_hanging(setup: &Setup) -> Result<Uuid> {
    let api = setup.cluster.api();
    api.make_event_type("bench.hanging").await?;
    api.make_endpoint(&setup.receiver.url(HANG), "bench.hanging").await
}

async fn publish_to(setup: &Setup, endpoint: Uuid) -> Result<()> {
    let mut connection = Connection::open(&setup.cluster.address()).await?;
    let batch = PostRequest::batch(BATCH, Some(endpoint));
    for _ in 0..DUE / BATCH {
        let (status, _) = connection.post(&batch).await?;
        ensure!(status == 202, "a batch was answered {status}");
    }
    Ok(())
}
