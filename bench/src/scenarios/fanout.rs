//! One event to ten endpoints: what an event costs is shared by its deliveries.

use anyhow::Result;

use super::{Plan, Setup};
use crate::{
    cluster::{ClusterOptions, Shape},
    report::Report,
};

const ENDPOINTS: usize = 10;
/// As many times the throughput of single deliveries is the goal.
const LEAST: f64 = 1.5;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let single = {
        let setup = Setup::open(shape, &ClusterOptions::default(), 1).await?;
        setup.saturate(plan.seconds(4, 30)).await?.delivered_per_s
    };
    let setup = Setup::open(shape, &ClusterOptions::default(), ENDPOINTS).await?;
    let rate = setup.saturate(plan.seconds(6, 30)).await?;
    let times = rate.delivered_per_s / single;
    let mut report = Report::new("fanout", shape);
    report.figure("single_delivered_per_s", single);
    rate.add_to(&mut report);
    report.figure("times_single", times);
    report.goal(format!("deliveries ≥ {LEAST} × throughput (is {times:.2} ×)"), times >= LEAST);
    Ok(report)
}
