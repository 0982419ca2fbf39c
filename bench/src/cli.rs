//! The command line: the scenario, the shape, and the report format.
//! Holds no measuring of its own.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use tokio::time::timeout_at;

use crate::{
    chaos::Fault,
    cluster::{Shape, programs},
    external::External,
    report::{Report, json, table},
    scenarios::{Plan, Scenario},
};

/// Measures Hookyard on this machine, beside the machine's bare limit, or injects faults and counts arrivals.
///
/// Without a scenario it runs all of them, which takes about a quarter of an hour.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Cli {
    /// The scenario to run
    #[arg(value_enum, default_value_t = Scenario::All)]
    scenario: Scenario,
    /// The shape: one machine or a cluster; both by default, one after the other
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
    /// Run longer, with more rows
    #[arg(long)]
    full: bool,
    /// chaos: the seed of the schedule; the same seed gives the same schedule
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// chaos: only these faults
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// throughput, external: that many connections without a bound on what is under way; of throughput one run for each
    /// number of the list
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=4_096))]
    connections: Vec<u16>,
    /// chaos: how long faults happen (default 240, at least 10); quiet, external, throughput with --connections: how long load runs (default 10)
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    #[command(flatten)]
    external: External,
}

impl Cli {
    /// The scenarios that were asked for, one run each; of throughput one for each number of connections.
    fn runs(&self, shape: Shape) -> Vec<(Scenario, Plan)> {
        let plan = Plan {
            full: self.full,
            seed: self.seed,
            faults: self.faults.clone(),
            length: self.seconds.map(Duration::from_secs),
            connections: None,
            deadline: Instant::now(),
        };
        if self.scenario == Scenario::Throughput && !self.connections.is_empty() {
            let with =
                |connections: &u16| Plan { connections: Some(usize::from(*connections)), ..plan.clone() };
            return self.connections.iter().map(with).map(|plan| (Scenario::Throughput, plan)).collect();
        }
        let parts = self.scenario.parts().into_iter().filter(|part| part.runs_on(shape));
        parts.map(|part| (part, plan.clone())).collect()
    }
}

/// Runs the scenarios; exit code 1 when work was lost, an invariant was violated, or a scenario gave up.
pub(crate) async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let reports = match cli.scenario {
        Scenario::External => vec![run_external(cli).await?],
        _ => run_scenarios(cli).await?,
    };
    if reports.len() > 1 {
        println!("{}", table::summary(&reports));
    }
    if cli.json {
        println!("{}", json::line(&reports));
    }
    let well = !reports.is_empty() && reports.iter().all(Report::is_well);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run_external(cli: &Cli) -> anyhow::Result<Report> {
    let (connections, length) = (cli.connections.first().copied(), cli.seconds.map(Duration::from_secs));
    let report = cli.external.run(connections, length).await?;
    println!("{}", table::render(&report));
    Ok(report)
}

async fn run_scenarios(cli: &Cli) -> anyhow::Result<Vec<Report>> {
    programs::make_sure_they_are_built()?;
    let shapes = cli.shape.map_or_else(|| vec![Shape::Embedded, Shape::Cluster], |shape| vec![shape]);
    let mut reports = vec![];
    for shape in shapes {
        for (scenario, plan) in cli.runs(shape) {
            let begun = Instant::now();
            let report = bounded(scenario, shape, &plan).await.unwrap_or_else(|error| {
                let mut report = Report::new(scenario.name(), shape);
                report.give_up(format!("{error:#}"), begun.elapsed());
                report
            });
            println!("{}", table::render(&report));
            reports.push(report);
        }
    }
    Ok(reports)
}

async fn bounded(scenario: Scenario, shape: Shape, plan: &Plan) -> anyhow::Result<Report> {
    let bound = scenario.bound(plan);
    eprintln!("bench: {} on {shape}, at most {} s", scenario.name(), bound.as_secs());
    let plan = Plan { deadline: Instant::now() + bound, ..plan.clone() };
    let run = Box::pin(scenario.run(shape, &plan));
    timeout_at(plan.deadline.into(), run).await.with_context(|| format!("not done within {bound:?}"))?
}
