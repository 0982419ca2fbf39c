//! Nothing to do: what it costs to be there, and how soon one is ready.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    measure::{Meter, resident_mib},
    report::Report,
    rig::{Program, Rig, Setup, Shape},
};

/// What a start leaves to do is done by then.
const SETTLED: Duration = Duration::from_secs(5);
const LENGTH: Duration = Duration::from_secs(10);
const MOST_CORES: f64 = 0.01;
const MOST_MIB: f64 = 64.0;
const READY_WITHIN: Duration = Duration::from_secs(1);

pub(super) async fn run(shape: Shape) -> Result<Report> {
    let mut rig = Rig::start(shape, &Setup::default()).await?;
    // Started a second time: the first had a schema to make.
    rig.stop_programs().await?;
    let ready = rig.start_programs().await?;
    sleep(SETTLED).await;
    let meter = Meter::start(&rig);
    sleep(LENGTH).await;
    let mut report = Report::new("idle", shape);
    report.costs = meter.read(&rig);
    report.figure("ready_ms", ready.as_secs_f64() * 1_000.0);
    report.goal(format!("ready within 1 s (is {} ms)", ready.as_millis()), ready <= READY_WITHIN);
    for program in rig.programs() {
        tell(&rig, program, &mut report)?;
    }
    Ok(report)
}

fn tell(rig: &Rig, program: Program, report: &mut Report) -> Result<()> {
    let part = match (rig.shape, program) {
        (Shape::Embedded, _) => "hookyard",
        (Shape::Cluster, Program::Api) => "api",
        (Shape::Cluster, Program::Worker(_)) => "worker",
    };
    let cost = *report.costs.iter().find(|cost| cost.part == part).context("every part has a cost")?;
    let mib = resident_mib(rig.running(program).context("it runs")?.id());
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
