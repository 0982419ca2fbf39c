//! An idle machine and 100 events a second at a constant rate: how long each takes, and what it costs when nothing can be
//! shared with others.

use std::time::Duration;

use anyhow::Result;

use super::{
    Plan, Setup,
    labelled::{measure, of_one, run_to_the_end},
};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    load::{Labelled, Pace, PostRequest},
    measure::settle_statistics,
    report::Report,
};

const PER_SECOND: f64 = 100.0;
const WARM_UP: Duration = Duration::from_secs(2);
const ARRIVE_WITHIN: Duration = Duration::from_secs(30);

/// Bounds of the figures of one shape.
struct Goals {
    p50_ms: f64,
    p99_ms: f64,
    cpu_s_per_1000: f64,
}

const fn goals(shape: Shape) -> Goals {
    match shape {
        Shape::Embedded => Goals { p50_ms: 1.5, p99_ms: 3.0, cpu_s_per_1000: 1.2 },
        Shape::Cluster => Goals { p50_ms: 2.0, p99_ms: 5.0, cpu_s_per_1000: 2.0 },
    }
}

/// Bounds of what the servers count for a delivery.
const COUNTS: [(&str, f64); 5] = [
    ("transactions", 2.1),
    ("rows_inserted", 3.0),
    ("rows_updated", 0.1),
    ("rows_deleted", 1.0),
    ("redis_commands", 8.0),
];

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let mut setup = Setup::with_ledger(shape, &ClusterOptions::default(), 1).await?;
    run_to_the_end(&load(&setup, WARM_UP), ARRIVE_WITHIN).await?;
    settle_statistics(&setup.cluster).await;
    let mut report = Report::new("quiet", shape);
    report.figure("asked_per_s", PER_SECOND);
    let load = load(&setup, plan.length.unwrap_or_else(|| plan.seconds(10, 60)));
    measure(&mut setup, plan, &load, &mut report).await?;
    tell_goals(shape, &mut report);
    Ok(report)
}

fn load(setup: &Setup, length: Duration) -> Labelled {
    of_one(setup, PostRequest::labelled_event(USER), Pace::Open { per_second: PER_SECOND }, length)
}

fn tell_goals(shape: Shape, report: &mut Report) {
    let Goals { p50_ms, p99_ms, cpu_s_per_1000 } = goals(shape);
    let bounds = [
        ("arrival_p50_ms", "arrival p50, ms", p50_ms),
        ("arrival_p99_ms", "arrival p99, ms", p99_ms),
        ("cpu_s_per_1000", "CPU s for 1,000", cpu_s_per_1000),
    ];
    for (name, words, most) in bounds {
        let is = report.value(name);
        report.goal(format!("{words} ≤ {most} (is {is:.2})"), is <= most);
    }
    if shape == Shape::Cluster {
        for (name, most) in COUNTS {
            let is = report.value(&format!("{name}_per_delivery"));
            let rounded = (is * 100.0).round() / 100.0;
            report.goal(
                format!("{} a delivery ≤ {most} (is {is:.2})", name.replace('_', " ")),
                rounded <= most,
            );
        }
    }
}
