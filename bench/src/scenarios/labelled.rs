//! Loads whose requests carry a number: set up, run until all has arrived, and the figures that they share, so that all of
//! them can be compared with each other and with another platform.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::{Plan, Setup, give_up::guard};
use crate::{
    ledger::{Ledger, Sums},
    load::{Labelled, MakeRequest, Pace, PostRequest},
    measure::{Cost, Counts, Meter},
    report::Report,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// From the last arrival until it is recorded, and from the end of the programs until Postgres has their counts.
const SETTLED: Duration = Duration::from_millis(500);
const RECORDED_WITHIN: Duration = Duration::from_secs(60);

/// Runs a load until all that was accepted has arrived and is recorded, and puts its figures into the report; the programs
/// have ended then. Gives up as [`guard`] does.
pub(super) async fn measure(
    setup: &mut Setup,
    plan: &Plan,
    load: &Labelled,
    report: &mut Report,
) -> Result<()> {
    load.ledger.begin();
    let recorded = setup.cluster.store().succeeded().await;
    let before = Counts::load(&setup.cluster).await?;
    let meter = Meter::start(&setup.cluster);
    let ended = guard(&setup.cluster, plan, report, until_recorded(setup, load)).await;
    let costs = meter.costs(&setup.cluster);
    let sums = load.ledger.sums();
    add_sums(&sums, report);
    let delivered = sums.arrived.max(1) as f64;
    tell_costs(&costs, delivered, report);
    if ended.is_none() {
        return Ok(());
    }
    // Connections that end report at once what they counted.
    setup.cluster.stop_programs().await?;
    sleep(SETTLED).await;
    let counts = Counts::load(&setup.cluster).await?.zip(before).map(|(after, before)| after - before);
    for (name, count) in counts.iter().flat_map(|counts| counts.by(delivered)) {
        report.figure(format!("{name}_per_delivery"), count);
    }
    let recorded = setup.cluster.store().succeeded().await - recorded;
    ensure!(sums.accepted > 0, "nothing was accepted");
    ensure!(recorded >= sums.accepted, "{} were accepted, {recorded} are recorded", sums.accepted);
    Ok(())
}

async fn until_recorded(setup: &Setup, load: &Labelled) -> Result<()> {
    run_to_the_end(load, RECORDED_WITHIN).await?;
    // Looking costs the server more than a delivery: once is mostly enough.
    sleep(SETTLED).await;
    setup.cluster.store().wait_until_recorded(RECORDED_WITHIN).await
}

/// Runs a load and waits until all that was accepted has arrived; `within` bounds that wait.
///
/// # Errors
/// When the load gives up, or something did not arrive in time. The ledger has what was measured until then.
pub(super) async fn run_to_the_end(load: &Labelled, within: Duration) -> Result<()> {
    load.run().await?;
    wait_for_arrivals(&load.ledger, within).await
}

/// Waits until all that was accepted has arrived.
///
/// # Errors
/// When it has not within the given time.
pub(crate) async fn wait_for_arrivals(ledger: &Ledger, within: Duration) -> Result<()> {
    let end = Instant::now() + within;
    while ledger.outstanding() > 0 {
        let missing = ledger.outstanding();
        ensure!(Instant::now() < end, "{missing} accepted events did not arrive within {within:?}");
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// The load of one request over and over.
pub(super) fn of_one(setup: &Setup, request: PostRequest, pace: Pace, length: Duration) -> Labelled {
    let (address, ledger) = (setup.cluster.address(), Arc::clone(&setup.ledger));
    let make: Arc<MakeRequest> = Arc::new(move |_, label: &str| request.labelled(label));
    Labelled { address, ledger, make, pace, length }
}

/// Rates, losses and latencies.
pub(crate) fn add_sums(sums: &Sums, report: &mut Report) {
    let per_s = |count: u64, within: Duration| count as f64 / within.as_secs_f64().max(f64::EPSILON);
    report
        .figure("accepted", sums.accepted as f64)
        .figure("refused", (sums.asked - sums.accepted) as f64)
        .figure("delivered", sums.arrived as f64)
        .figure("lost", sums.missing.len() as f64)
        .figure("arrived_twice", sums.twice as f64)
        .figure("accepted_per_s", per_s(sums.accepted, sums.accepted_within))
        .figure("delivered_per_s", per_s(sums.arrived, sums.arrived_within))
        .figure("accept_p50_ms", sums.accept.quantile_ms(0.5))
        .figure("accept_p99_ms", sums.accept.quantile_ms(0.99))
        .figure("arrival_p50_ms", sums.arrival.quantile_ms(0.5))
        .figure("arrival_p99_ms", sums.arrival.quantile_ms(0.99));
    add_refusals(sums, report);
}

/// How many requests were refused, by status.
pub(crate) fn add_refusals(sums: &Sums, report: &mut Report) {
    if sums.refused.is_empty() {
        return;
    }
    let by_status = sums.refused.iter().map(|(status, count)| match status {
        Some(status) => format!("{count} with {status}"),
        None => format!("{count} without an answer"),
    });
    report.note(format!("refused: {}", by_status.collect::<Vec<_>>().join(", ")));
}

fn tell_costs(costs: &[Cost], delivered: f64, report: &mut Report) {
    let cpu: f64 = costs.iter().filter(|cost| cost.part != "bench").map(|cost| cost.cpu_s).sum();
    report.figure("cpu_s_per_1000", cpu * 1_000.0 / delivered);
    for cost in costs {
        report.figure(format!("{}_cpu_s_per_1000", cost.part), cost.cpu_s * 1_000.0 / delivered);
    }
    report.costs = costs.to_vec();
}
