//! Publishing a thousand events at a time, against one at a time. Only accepts are compared: what is accepted beyond what
//! can be delivered waits.

use anyhow::Result;

use super::{
    Plan, Setup,
    setup::{Bounds, CONNECTIONS},
};
use crate::{
    cluster::{ClusterOptions, Shape},
    load::PostRequest,
    report::Report,
};

const EVENTS: u64 = 1_000;
/// Clients that publish batches.
const CLIENTS: usize = 4;
/// A part ends with so many accepted: they are delivered before the next part begins.
const MOST: u64 = 60_000;
/// As many times the rate of single events is the goal.
const LEAST: f64 = 5.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let setup = Setup::open(shape, &ClusterOptions::default(), 1).await?;
    let bounds = Bounds { under_way: u64::MAX, most: MOST, length: plan.seconds(5, 20) };
    let single = setup.closed_loop(PostRequest::event(), CONNECTIONS, bounds).await?;
    let batch = setup.closed_loop(PostRequest::batch(EVENTS, None), CLIENTS, bounds).await?;
    let times = batch.accepted_per_s / single.accepted_per_s;
    let mut report = Report::new("batch", shape);
    report.figure("single_accepted_per_s", single.accepted_per_s);
    batch.add_to(&mut report);
    report.figure("times_single", times);
    report.goal(format!("accepted ≥ {LEAST} × single (is {times:.2} ×)"), times >= LEAST);
    Ok(report)
}
