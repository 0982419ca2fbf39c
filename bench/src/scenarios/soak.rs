//! Steady load at 70 % of the throughput: memory, the tables of work under way and Redis must level off. What is kept on
//! purpose (events, attempts, finished deliveries) grows, and is left out.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::{Plan, Stand};
use crate::{
    load::{Open, PostRequest},
    measure::Meter,
    report::Report,
    rig::{Setup, Shape},
};

const SHARE: f64 = 0.7;
const SAMPLE_EVERY: Duration = Duration::from_secs(3);
/// The last third may hold so many times what the middle third held, and so many MiB more.
const MOST_GROWTH: f64 = 1.1;
const SLACK_MIB: f64 = 4.0;
const MIB: f64 = 1_048_576.0;

/// Sizes in MiB by name, one after the other.
type Series = BTreeMap<String, Vec<f64>>;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let stand = Stand::open(shape, &Setup::default(), 1).await?;
    let throughput = stand.saturate(plan.seconds(4, 15)).await?.delivered_per_s;
    let length = plan.seconds(120, 600);
    let (address, requests) = (stand.rig.address(), vec![PostRequest::event()]);
    let open = Open { address, requests, per_second: throughput * SHARE, length };
    let load = tokio::spawn(open.run());
    let mut series = Series::new();
    let end = Instant::now() + length;
    while Instant::now() < end {
        sleep(SAMPLE_EVERY).await;
        sample(&stand, &mut series).await;
    }
    let published = load.await??;
    let mut report = Report::new("soak", shape);
    let accepted = published.iter().filter(|one| one.event.is_some()).count();
    report
        .figure("asked_per_s", throughput * SHARE)
        .figure("accepted", accepted as f64)
        .figure("refused", (published.len() - accepted) as f64);
    series.iter().for_each(|(name, sizes)| tell(name, sizes, &mut report));
    Ok(report)
}

async fn sample(stand: &Stand, series: &mut Series) {
    let mut note = |name: String, mib: f64| series.entry(name).or_default().push(mib);
    for cost in Meter::start(&stand.rig).read(&stand.rig) {
        // The server's buffers fill up to their setting: that is no leak. The bench remembers what it published.
        if !["bench", "postgres"].contains(&cost.part) {
            note(format!("{}_mib", cost.part), cost.mib);
        }
    }
    if stand.rig.shape == Shape::Cluster {
        for (name, bytes) in stand.rig.store().sizes().await {
            note(format!("{}_mib", name.replace(' ', "_")), bytes as f64 / MIB);
        }
    }
    if let Some(redis) = &stand.rig.redis {
        let info: String = redis.ask(&["INFO", "memory"]).await;
        let used =
            info.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse::<f64>().ok());
        note("redis_data_mib".to_owned(), used.unwrap_or_default() / MIB);
    }
}

fn tell(name: &str, sizes: &[f64], report: &mut Report) {
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
