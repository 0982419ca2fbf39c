//! One event of 512 bytes to one endpoint, as many as can be delivered: from accept to recorded success.

use anyhow::Result;

use super::{Plan, Setup, setup::Rate};
use crate::{
    cluster::{ClusterOptions, Shape},
    report::Report,
};

/// The bare limit and the rate are measured in turn this many times, and the median round is reported: a shared machine is
/// not the same one ten seconds later.
const ROUNDS: usize = 3;

struct Round {
    bare: f64,
    rate: Rate,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.rate.delivered_per_s / self.bare
    }
}

const fn least_ratio(shape: Shape) -> f64 {
    match shape {
        Shape::Embedded => 0.30,
        Shape::Cluster => 0.25,
    }
}

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let setup = Setup::open(shape, &ClusterOptions::default(), 1).await?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let bare = setup.bare().await?;
        rounds.push(Round { bare, rate: setup.saturate(plan.seconds(4, 20)).await? });
    }
    rounds.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    Ok(report_of(shape, &rounds))
}

fn report_of(shape: Shape, rounds: &[Round]) -> Report {
    let middle = &rounds[rounds.len() / 2];
    let (ratio, least) = (middle.ratio(), least_ratio(shape));
    let mut report = Report::new("throughput", shape);
    report.figure("bare_per_s", middle.bare);
    middle.rate.add_to(&mut report);
    report.figure("ratio", ratio);
    report.figure("ratio_least", rounds[0].ratio());
    report.figure("ratio_most", rounds[rounds.len() - 1].ratio());
    report.goal(format!("ratio ≥ {least:.2} (is {ratio:.3})"), ratio >= least);
    report
}
