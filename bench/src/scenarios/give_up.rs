//! A measurement that fails or takes too long leaves a report of what it measured until then, when it stopped, and what the
//! database was doing.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::timeout_at;

use super::Plan;
use crate::{cluster::Cluster, report::Report};

/// What a report takes after a measurement gave up.
const REPORTING: Duration = Duration::from_secs(20);

/// Runs a measurement until it ends, fails, or the plan's deadline comes near. None when it gave up: then the report says why.
pub(super) async fn guard<T>(
    cluster: &Cluster,
    plan: &Plan,
    report: &mut Report,
    measurement: impl Future<Output = Result<T>>,
) -> Option<T> {
    let begun = Instant::now();
    let reason = match timeout_at((plan.deadline - REPORTING).into(), measurement).await {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "the scenario's time was over".to_owned(),
    };
    report.give_up(reason, begun.elapsed());
    for line in cluster.activity().await {
        report.note(format!("database: {line}"));
    }
    None
}
