//! Open loop at half of the throughput: how long an accept takes, and how long until the event arrives.

use anyhow::Result;

use super::{Plan, Stand};
use crate::{
    load::{Arrivals, Open, PostRequest, Published},
    measure::{Histogram, Meter},
    report::Report,
    rig::{Setup, Shape},
};

/// Latencies of an open loop.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    /// From request to answer.
    pub(super) accept: Histogram,
    /// From request to arrival.
    pub(super) arrival: Histogram,
    pub(super) accepted: u64,
    pub(super) refused: u64,
}

impl Latencies {
    /// Joins what was published with what arrived; all of it must have.
    pub(super) fn of(published: &[Published], arrivals: &Arrivals) -> Self {
        let mut this = Self::default();
        for one in published {
            let Some(event) = one.event else {
                this.refused += 1;
                continue;
            };
            this.accepted += 1;
            this.accept.note(one.answered);
            if let Some(at) = arrivals.of(event) {
                this.arrival.note(at.saturating_duration_since(one.asked));
            }
        }
        this
    }
}

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let arrivals = Arrivals::new();
    let noted = arrivals.clone();
    let watch = move |headers: &http::HeaderMap, _: &bytes::Bytes| noted.note(headers);
    let stand = Stand::watched(shape, &Setup::default(), 1, watch).await?;
    let throughput = stand.saturate(plan.seconds(4, 15)).await?.delivered_per_s;
    let per_second = throughput / 2.0;

    let (before, meter) = (stand.receiver.count(), Meter::start(&stand.rig));
    let (address, requests) = (stand.rig.address(), vec![PostRequest::event()]);
    let published = Open { address, requests, per_second, length: plan.seconds(10, 60) }.run().await?;
    let accepted = published.iter().filter(|one| one.event.is_some()).count() as u64;
    stand.settle(before + accepted).await?;
    let costs = meter.read(&stand.rig);

    let latencies = Latencies::of(&published, &arrivals);
    let mut report = Report::new("latency", shape);
    report.figure("throughput_per_s", throughput).figure("asked_per_s", per_second);
    tell(&latencies, &mut report);
    report.costs = costs;
    Ok(report)
}

fn tell(latencies: &Latencies, report: &mut Report) {
    let (accept, arrival) = (&latencies.accept, &latencies.arrival);
    let (p50, p99) = (arrival.quantile_ms(0.5), arrival.quantile_ms(0.99));
    let accept_p99 = accept.quantile_ms(0.99);
    report
        .figure("accepted", latencies.accepted as f64)
        .figure("refused", latencies.refused as f64)
        .figure("p50_ms", p50)
        .figure("p99_ms", p99)
        .figure("accept_p50_ms", accept.quantile_ms(0.5))
        .figure("accept_p99_ms", accept_p99)
        .goal(format!("arrival p50 ≤ 5 ms (is {p50:.1})"), p50 <= 5.0)
        .goal(format!("arrival p99 ≤ 50 ms (is {p99:.1})"), p99 <= 50.0)
        .goal(format!("accept p99 ≤ 20 ms (is {accept_p99:.1})"), accept_p99 <= 20.0);
}
