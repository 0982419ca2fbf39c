//! Nothing to do: CPU time, memory, transactions and commands of programs without work, and how soon they are ready.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    cluster::{Cluster, ClusterOptions, Program, Shape},
    measure::{Counts, Meter, resident_mib, settle_statistics},
    report::Report,
};

/// What a start leaves to do is done by then.
const SETTLED: Duration = Duration::from_secs(5);
const LENGTH: Duration = Duration::from_secs(10);
const MOST_CORES: f64 = 0.01;
const MOST_MIB: f64 = 64.0;
const MOST_PER_S: [(&str, f64); 2] = [("transactions", 3.0), ("redis_commands", 15.0)];
const READY_WITHIN: Duration = Duration::from_secs(1);

pub(super) async fn run(shape: Shape) -> Result<Report> {
    let mut cluster = Cluster::start(shape, &ClusterOptions::default()).await?;
    // Started a second time: the first had a schema to make.
    cluster.stop_programs().await?;
    let ready = cluster.start_programs().await?;
    sleep(SETTLED).await;
    settle_statistics(&cluster).await;
    let (before, counting) = (Counts::load(&cluster).await?, Instant::now());
    let meter = Meter::start(&cluster);
    sleep(LENGTH).await;
    let mut report = Report::new("idle", shape);
    report.costs = meter.costs(&cluster);
    report.figure("ready_ms", ready.as_secs_f64() * 1_000.0);
    report.goal(format!("ready within 1 s (is {} ms)", ready.as_millis()), ready <= READY_WITHIN);
    for program in cluster.programs() {
        add_to_report(&cluster, program, &mut report)?;
    }
    if let Some(before) = before {
        tell_counts(&cluster, before, counting, &mut report).await?;
    }
    Ok(report)
}

/// What the servers counted since, by the second. What is reported late is late at both ends.
async fn tell_counts(cluster: &Cluster, before: Counts, since: Instant, report: &mut Report) -> Result<()> {
    settle_statistics(cluster).await;
    let after = Counts::load(cluster).await?.context("as before")?;
    for (name, a_second) in (after - before).by(since.elapsed().as_secs_f64()) {
        report.figure(format!("{name}_per_s"), a_second);
    }
    for (name, most) in MOST_PER_S {
        let is = report.value(&format!("{name}_per_s"));
        report.goal(format!("{} a second ≤ {most} (is {is:.1})", name.replace('_', " ")), is <= most);
    }
    Ok(())
}

fn add_to_report(cluster: &Cluster, program: Program, report: &mut Report) -> Result<()> {
    let part = match (cluster.shape, program) {
        (Shape::Embedded, _) => "hookyard",
        (Shape::Cluster, Program::Api) => "api",
        (Shape::Cluster, Program::Worker(_)) => "worker",
    };
    let cost = *report.costs.iter().find(|cost| cost.part == part).context("every part has a cost")?;
    let mib = resident_mib(cluster.running(program).context("it runs")?.id());
    report
        .figure(format!("{part}_cpu_percent"), cost.cores * 100.0)
        .figure(format!("{part}_rss_mib"), mib)
        .goal(
            format!("{part}: CPU ≤ 1 % of a core (is {:.2} %)", cost.cores * 100.0),
            cost.cores <= MOST_CORES,
        )
        .goal(format!("{part}: resident ≤ 64 MiB (is {mib:.1})"), mib <= MOST_MIB);
    Ok(())
}
