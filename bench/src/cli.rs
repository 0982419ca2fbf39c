//! The command line: which scenario, on which shape, told how.
//! Holds no measuring of its own.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use tokio::time::timeout;

use crate::{
    report::{Report, json, table},
    rig::{Shape, programs},
    scenarios::{Plan, Scenario},
};

/// Seconds of faults, unless said otherwise.
const CHAOS_SECONDS: u64 = 180;
/// Seconds of faults at least: below, not one fits.
const CHAOS_SECONDS_MIN: u64 = 10;

/// Measures Hookyard on this machine, beside the machine's bare limit, or breaks things and counts what arrived.
///
/// Without a scenario: all of them, in one go, in about a quarter of an hour.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Cli {
    /// What to run
    #[arg(value_enum, default_value_t = Scenario::All)]
    scenario: Scenario,
    /// On one machine or on many; by default on each, one after the other
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// The last line is one JSON object
    #[arg(long)]
    json: bool,
    /// Longer, with more rows
    #[arg(long)]
    full: bool,
    /// chaos: which faults, when; the same seed is the same schedule
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// chaos: how long faults happen
    #[arg(long, default_value_t = CHAOS_SECONDS, value_parser = clap::value_parser!(u64).range(CHAOS_SECONDS_MIN..=86_400))]
    seconds: u64,
}

/// Runs what was asked for; exit code 1 when work was lost or a scenario could not be run.
pub(crate) async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    programs::make_sure_they_are_built()?;
    let plan = Plan { full: cli.full, seed: cli.seed, faults_for: Duration::from_secs(cli.seconds) };
    let shapes = cli.shape.map_or_else(|| vec![Shape::Embedded, Shape::Cluster], |shape| vec![shape]);
    let (mut reports, mut failed) = (vec![], 0);
    for shape in shapes {
        for scenario in cli.scenario.parts().iter().filter(|part| part.runs_on(shape)) {
            match bounded(*scenario, shape, &plan).await {
                Ok(report) => {
                    println!("{}", table::of(&report));
                    reports.push(report);
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("bench: {} on {shape}: {error:#}", scenario.name());
                }
            }
        }
    }
    if reports.len() > 1 {
        println!("{}", table::summary(&reports));
    }
    if cli.json {
        println!("{}", json::line(&reports));
    }
    let well = failed == 0 && !reports.is_empty() && reports.iter().all(Report::is_whole);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn bounded(scenario: Scenario, shape: Shape, plan: &Plan) -> anyhow::Result<Report> {
    let bound = scenario.bound(plan);
    eprintln!("bench: {} on {shape}, at most {} s", scenario.name(), bound.as_secs());
    let run = Box::pin(scenario.run(shape, plan));
    timeout(bound, run).await.with_context(|| format!("not done within {bound:?}"))?
}
