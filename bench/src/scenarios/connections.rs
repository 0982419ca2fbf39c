//! Throughput with a given number of connections, as clients have them: a closed loop without a bound on what is accepted
//! and has not arrived, so that accepts may outrun deliveries.

use std::time::Duration;

use anyhow::Result;

use super::{
    Plan, Setup,
    labelled::{measure, of_one, run_to_the_end},
};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    load::{Labelled, Pace, PostRequest},
    measure::settle_statistics,
    report::Report,
};

const WARM_UP: Duration = Duration::from_secs(2);
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// Most CPU seconds for 1,000 deliveries of all parts but the load; none where no goal was set.
const fn most_cpu_s(shape: Shape, connections: usize) -> Option<f64> {
    match (shape, connections) {
        (Shape::Cluster, 64) => Some(0.16),
        (Shape::Embedded, 64) => Some(0.14),
        (Shape::Cluster, 16) => Some(0.28),
        (Shape::Embedded, 16) => Some(0.20),
        _ => None,
    }
}

/// From so many connections on, half of all events must arrive within `MOST_P50_MS`.
const MANY: usize = 512;
const MOST_P50_MS: f64 = 500.0;

pub(super) async fn run(shape: Shape, plan: &Plan, connections: usize) -> Result<Report> {
    let mut setup = Setup::with_ledger(shape, &ClusterOptions::default(), 1).await?;
    run_to_the_end(&load(&setup, connections, WARM_UP), SETTLE_WITHIN).await?;
    setup.cluster.store().wait_until_recorded(SETTLE_WITHIN).await?;
    let bare = setup.bare_with(connections).await?;
    settle_statistics(&setup.cluster).await;
    let mut report = Report::new("throughput", shape);
    report.figure("connections", connections as f64).figure("bare_per_s", bare);
    let load = load(&setup, connections, plan.length.unwrap_or_else(|| plan.seconds(10, 30)));
    measure(&mut setup, plan, &load, &mut report).await?;
    report.figure("ratio", report.value("delivered_per_s") / bare);
    tell_goals(shape, connections, &mut report);
    Ok(report)
}

fn load(setup: &Setup, connections: usize, length: Duration) -> Labelled {
    of_one(setup, PostRequest::labelled_event(USER), Pace::Closed { connections }, length)
}

fn tell_goals(shape: Shape, connections: usize, report: &mut Report) {
    if let Some(most) = most_cpu_s(shape, connections) {
        let is = report.value("cpu_s_per_1000");
        report.goal(format!("{connections} connections: CPU s for 1,000 ≤ {most} (is {is:.3})"), is <= most);
    }
    if connections >= MANY {
        let is = report.value("arrival_p50_ms");
        report.goal(
            format!("{connections} connections: arrival p50 ≤ {MOST_P50_MS} ms (is {is:.0})"),
            is <= MOST_P50_MS,
        );
    }
}
