//! One event of 512 bytes to one endpoint, as many as can be delivered: from accept to recorded success.

use anyhow::Result;

use super::{Plan, Stand};
use crate::{
    report::Report,
    rig::{Setup, Shape},
};

const fn least_ratio(shape: Shape) -> f64 {
    match shape {
        Shape::Embedded => 0.30,
        Shape::Cluster => 0.25,
    }
}

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let stand = Stand::open(shape, &Setup::default(), 1).await?;
    let bare = stand.bare().await?;
    let rate = stand.saturate(plan.seconds(10, 60)).await?;
    let (ratio, least) = (rate.delivered_per_s / bare, least_ratio(shape));
    let mut report = Report::new("throughput", shape);
    report.figure("bare_per_s", bare);
    rate.tell(&mut report);
    report.figure("ratio", ratio);
    report.goal(format!("ratio ≥ {least:.2} (is {ratio:.3})"), ratio >= least);
    Ok(report)
}
