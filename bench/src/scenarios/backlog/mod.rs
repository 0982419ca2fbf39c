//! A database with many due rows (held: their lanes are paused) and many old ones: throughput must hold, and a look of the
//! dispatcher must cost what it costs with few.

mod rows;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use platform::{
    config::{Config, Role},
    context::Context,
    telemetry::Telemetry,
};
use uuid::Uuid;

use super::{Plan, Setup};
use crate::{
    cluster::{Cluster, ClusterOptions, Shape},
    measure::Histogram,
    report::Report,
};

/// Paused lanes: fewer than one look passes, so that each look passes them all.
const LANES: u64 = 200;
const LOOKS: u32 = 200;
/// Share of the throughput without the rows that must be left.
const LEAST: f64 = 0.8;
/// A look may cost so many times what it costs with a tenth of the due rows, and so many ms more.
const MOST_TIMES: f64 = 2.0;
const SLACK_MS: f64 = 1.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let (due, old) = if plan.full { (1_000_000, 10_000_000) } else { (200_000, 1_000_000) };
    let mut setup = Setup::open(shape, &ClusterOptions::default(), 1).await?;
    let empty = setup.saturate(plan.seconds(6, 30)).await?.delivered_per_s;

    // The one who writes a SQLite file is alone with it.
    setup.cluster.stop_programs().await?;
    let begun = Instant::now();
    let looks = fill(&setup.cluster, due / LANES, old).await?;
    let made = begun.elapsed();
    setup.cluster.start_programs().await?;
    setup.saturate(Duration::from_secs(2)).await?;
    let rate = setup.saturate(plan.seconds(6, 30)).await?;

    let share = rate.delivered_per_s / empty;
    let mut report = Report::new("backlog", shape);
    report.figure("due_rows", due as f64).figure("old_rows", old as f64);
    report.figure("rows_made_in_s", made.as_secs_f64()).figure("empty_delivered_per_s", empty);
    rate.add_to(&mut report);
    report.goal(format!("throughput ≥ {LEAST} × that without the rows (is {share:.2} ×)"), share >= LEAST);
    tell_looks(looks, &mut report);
    Ok(report)
}

/// Adds the rows; returns what a look takes with one row a lane, with a tenth of them, and with all.
async fn fill(cluster: &Cluster, of_a_lane: u64, old: u64) -> Result<[f64; 3]> {
    let store = cluster.store();
    rows::add_due(&store, LANES, 0..1).await;
    let one = look_ms(cluster).await?;
    rows::add_due(&store, LANES, 1..of_a_lane / 10).await;
    let tenth = look_ms(cluster).await?;
    rows::add_due(&store, LANES, of_a_lane / 10..of_a_lane).await;
    rows::add_old(&store, old).await;
    Ok([one, tenth, look_ms(cluster).await?])
}

fn tell_looks([one, tenth, all]: [f64; 3], report: &mut Report) {
    let most = tenth * MOST_TIMES + SLACK_MS;
    report.figure("look_p50_ms_a_row_a_lane", one).figure("look_p50_ms_a_tenth", tenth);
    report.figure("look_p50_ms", all);
    report.goal(format!("a look ≤ twice that with a tenth + 1 ms = {most:.1} (is {all:.1})"), all <= most);
}

/// The median of a worker's scan.
async fn look_ms(cluster: &Cluster) -> Result<f64> {
    let context = context(cluster).await?;
    let mut times = Histogram::default();
    for _ in 0..LOOKS {
        let begun = Instant::now();
        worker::claim::scan(&context, Uuid::nil()).await?;
        times.record(begun.elapsed());
    }
    context.database.close().await;
    Ok(times.quantile_ms(0.5))
}

async fn context(cluster: &Cluster) -> Result<Context> {
    let data = cluster.data().display().to_string();
    let settings = HashMap::from([("DATA_DIR", data), ("DATABASE_URL", cluster.database_url())]);
    let config = Config::load(Role::AllInOne, |name| settings.get(name).cloned())?;
    Ok(Context::connect(config, Telemetry::for_tests()).await?)
}
