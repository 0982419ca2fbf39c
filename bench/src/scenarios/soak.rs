//! Steady load at 70 % of the throughput: memory, the tables of work under way and Redis must level off. What is kept on
//! purpose (events, attempts, finished deliveries) grows, and is left out.

use std::{collections::BTreeMap, thread::available_parallelism, time::Duration};

use anyhow::Result;
use tokio::time::sleep;

use super::{
    Plan, Setup,
    give_up::guard,
    labelled::{add_sums, of_one, run_to_the_end},
};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    load::{Labelled, Pace, PostRequest},
    measure::Meter,
    report::Report,
};

const SHARE: f64 = 0.7;
const MOST_BUSY: f64 = 0.8;
const WARM_UP: Duration = Duration::from_secs(2);
/// Longest wait for the last arrival after the load.
const ARRIVE_WITHIN: Duration = Duration::from_secs(60);
const SAMPLE_EVERY: Duration = Duration::from_secs(3);
/// The last third may hold so many times what the middle third held, and so many MiB (or thousand deliveries) more.
const MOST_GROWTH: f64 = 1.1;
const SLACK_MIB: f64 = 4.0;
const MIB: f64 = 1_048_576.0;

/// Sizes in MiB, and deliveries that wait in thousands, by name, one after the other.
type Series = BTreeMap<String, Vec<f64>>;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let setup = Setup::with_ledger(shape, &ClusterOptions::default(), 1).await?;
    setup.saturate(WARM_UP).await?;
    let per_second = setup.saturate(plan.seconds(4, 15)).await?.delivered_per_s * SHARE;
    let length = plan.length.unwrap_or_else(|| plan.seconds(120, 600));
    let load = of_one(&setup, PostRequest::labelled_event(USER), Pace::Open { per_second }, length);
    let (mut report, mut series) = (Report::new("soak", shape), Series::new());
    report.figure("asked_per_s", per_second);
    let meter = Meter::start(&setup.cluster);
    guard(&setup.cluster, plan, &mut report, soak(&setup, &load, &mut series)).await;
    report.costs = meter.costs(&setup.cluster);
    add_sums(&setup.ledger.sums(), &mut report);
    tell_load(&mut report);
    series.iter().for_each(|(name, sizes)| add_to_report(name, sizes, &mut report));
    Ok(report)
}

fn tell_load(report: &mut Report) {
    let used: f64 = report.costs.iter().map(|cost| cost.cores).sum();
    let busy = used / available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let refused = report.value("refused");
    report
        .figure("cores_busy_percent", busy * 100.0)
        .goal(format!("nothing is refused (is {refused})"), refused == 0.0)
        .goal(format!("cores ≤ 80 % busy (is {:.0} %)", busy * 100.0), busy <= MOST_BUSY);
}

/// Ends with the load, when all has arrived.
async fn soak(setup: &Setup, load: &Labelled, series: &mut Series) -> Result<()> {
    tokio::select! {
        ended = run_to_the_end(load, ARRIVE_WITHIN) => ended,
        failed = sample_on(setup, series) => failed,
    }
}

async fn sample_on(setup: &Setup, series: &mut Series) -> Result<()> {
    loop {
        sleep(SAMPLE_EVERY).await;
        sample(setup, series).await?;
    }
}

async fn sample(setup: &Setup, series: &mut Series) -> Result<()> {
    let mut note = |name: String, value: f64| series.entry(name).or_default().push(value);
    note("waiting_thousands".to_owned(), setup.ledger.outstanding() as f64 / 1_000.0);
    for cost in Meter::start(&setup.cluster).costs(&setup.cluster) {
        // The server's buffers fill up to their setting: that is no leak. The bench remembers what it published.
        if !["bench", "postgres"].contains(&cost.part) {
            note(format!("{}_mib", cost.part), cost.mib);
        }
    }
    if setup.cluster.shape == Shape::Cluster {
        for (name, bytes) in setup.cluster.store().sizes().await? {
            note(format!("{}_mib", name.replace(' ', "_")), bytes as f64 / MIB);
        }
    }
    if let Some(redis) = &setup.cluster.redis {
        let info: String = redis.ask(&["INFO", "memory"]).await;
        let used =
            info.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse::<f64>().ok());
        note("redis_data_mib".to_owned(), used.unwrap_or_default() / MIB);
    }
    Ok(())
}

fn add_to_report(name: &str, sizes: &[f64], report: &mut Report) {
    let third = sizes.len() / 3;
    let (middle, last) = (mean(&sizes[third..2 * third]), mean(&sizes[2 * third..]));
    report.figure(format!("{name}_middle"), middle).figure(format!("{name}_last"), last);
    report.goal(format!("{name} levels off ({middle:.1}, then {last:.1})"), levels_off(middle, last));
}

fn levels_off(middle: f64, last: f64) -> bool {
    last <= middle * MOST_GROWTH + SLACK_MIB
}

fn mean(sizes: &[f64]) -> f64 {
    sizes.iter().sum::<f64>() / sizes.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_by_more_than_a_tenth_and_the_slack_does_not_level_off() {
        assert!(levels_off(100.0, 114.0));
        assert!(!levels_off(100.0, 114.1));
    }
}
