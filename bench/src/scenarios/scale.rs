//! One, two and four workers with 64 send slots each, and a receiver that takes 50 ms: the work is mostly waiting, so more
//! workers should get more done until the cores are used up.

use std::time::Duration;

use anyhow::Result;

use super::{
    Plan, Setup,
    setup::{Bounds, Rate},
};
use crate::{
    cluster::{ClusterOptions, Shape},
    load::PostRequest,
    report::Report,
};

const SLOTS: u64 = 64;
const DELAY: Duration = Duration::from_millis(50);
const WORKERS: [usize; 3] = [1, 2, 4];
/// Share of the perfect gain that counts as near-linear.
const NEAR: f64 = 0.8;
const CONNECTIONS: usize = 64;
/// Far more than the slots of all workers.
const UNDER_WAY: u64 = 2_048;
/// Lanes enough that no lane's share of the slots is the limit.
const ENDPOINTS: usize = 8;

pub(super) async fn run(plan: &Plan) -> Result<Report> {
    let mut report = Report::new("scale", Shape::Cluster);
    let most = SLOTS as f64 / DELAY.as_secs_f64();
    report.figure("most_per_worker_per_s", most);
    let mut one = None;
    for workers in WORKERS {
        let Rate { arriving_per_s: rate, tail, .. } = measure(workers, plan).await?;
        report.figure(format!("workers_{workers}_per_s"), rate);
        report.figure(format!("workers_{workers}_tail_s"), tail.as_secs_f64());
        let single = *one.get_or_insert(rate);
        let gain = rate / single;
        if workers > 1 {
            let wanted = NEAR * workers as f64;
            report.goal(format!("{workers} workers ≥ {wanted:.1} × one (is {gain:.2} ×)"), gain >= wanted);
        }
    }
    report.note("load, receiver, servers and all workers share the cores of this machine");
    Ok(report)
}

async fn measure(workers: usize, plan: &Plan) -> Result<Rate> {
    let options = ClusterOptions {
        workers,
        settings: vec![("SEND_SLOTS", SLOTS.to_string())],
        ..ClusterOptions::default()
    };
    let setup = Setup::open(Shape::Cluster, &options, ENDPOINTS).await?;
    setup.receiver.delay(DELAY);
    let bounds = Bounds { under_way: UNDER_WAY, most: u64::MAX, length: plan.seconds(6, 30) };
    setup.closed_loop(PostRequest::event(), CONNECTIONS, bounds).await
}
