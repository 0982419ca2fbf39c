//! One event to ten endpoints: what an event costs is shared by its deliveries.

use anyhow::Result;

use super::{Plan, Stand};
use crate::{
    report::Report,
    rig::{Setup, Shape},
};

const ENDPOINTS: usize = 10;
/// As many times the throughput of single deliveries is the goal.
const LEAST: f64 = 1.5;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let single = {
        let stand = Stand::open(shape, &Setup::default(), 1).await?;
        stand.saturate(plan.seconds(4, 30)).await?.delivered_per_s
    };
    let stand = Stand::open(shape, &Setup::default(), ENDPOINTS).await?;
    let rate = stand.saturate(plan.seconds(6, 30)).await?;
    let times = rate.delivered_per_s / single;
    let mut report = Report::new("fanout", shape);
    report.figure("single_delivered_per_s", single);
    rate.tell(&mut report);
    report.figure("times_single", times);
    report.goal(format!("deliveries ≥ {LEAST} × throughput (is {times:.2} ×)"), times >= LEAST);
    Ok(report)
}
