//! Open loop at half of the throughput: how long an accept takes, and how long until the event arrives.

use std::time::Duration;

use anyhow::Result;

use super::{
    Plan, Setup,
    give_up::guard,
    labelled::{add_sums, of_one, run_to_the_end},
};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    load::{Pace, PostRequest},
    measure::Meter,
    report::Report,
};

const WARM_UP: Duration = Duration::from_secs(2);
const ARRIVE_WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let setup = Setup::with_ledger(shape, &ClusterOptions::default(), 1).await?;
    setup.saturate(WARM_UP).await?;
    let throughput = setup.saturate(plan.seconds(4, 15)).await?.delivered_per_s;
    let per_second = throughput / 2.0;

    let mut report = Report::new("latency", shape);
    report.figure("throughput_per_s", throughput).figure("asked_per_s", per_second);
    let (request, meter) = (PostRequest::labelled_event(USER), Meter::start(&setup.cluster));
    let load = of_one(&setup, request, Pace::Open { per_second }, plan.seconds(10, 60));
    guard(&setup.cluster, plan, &mut report, run_to_the_end(&load, ARRIVE_WITHIN)).await;
    report.costs = meter.costs(&setup.cluster);
    add_sums(&setup.ledger.sums(), &mut report);
    tell_goals(&mut report);
    Ok(report)
}

fn tell_goals(report: &mut Report) {
    for (name, words, most) in [
        ("arrival_p50_ms", "arrival p50", 5.0),
        ("arrival_p99_ms", "arrival p99", 50.0),
        ("accept_p99_ms", "accept p99", 20.0),
    ] {
        let is = report.value(name);
        report.goal(format!("{words} ≤ {most} ms (is {is:.1})"), is <= most);
    }
}
