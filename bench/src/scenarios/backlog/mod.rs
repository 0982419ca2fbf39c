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

use super::{Plan, Stand};
use crate::{
    measure::Histogram,
    report::Report,
    rig::{Rig, Setup, Shape},
};

/// Paused lanes: fewer than one look passes, so that each look passes them all.
const LANES: u64 = 200;
const LOOKS: u32 = 200;
/// Share of the throughput without the rows that must be left.
const LEAST: f64 = 0.8;
/// A look may cost so many times what it cost with a row a lane, and so many ms more.
const MOST_TIMES: f64 = 2.0;
const SLACK_MS: f64 = 1.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let (due, old) = if plan.full { (1_000_000, 10_000_000) } else { (200_000, 1_000_000) };
    let mut stand = Stand::open(shape, &Setup::default(), 1).await?;
    let empty = stand.saturate(plan.seconds(8, 30)).await?.delivered_per_s;

    // The one who writes a SQLite file is alone with it.
    stand.rig.stop_programs().await?;
    let store = stand.rig.store();
    rows::add_due(&store, LANES, 0..1).await;
    let look_before = look_ms(&stand.rig).await?;
    let begun = Instant::now();
    rows::add_due(&store, LANES, 1..due / LANES).await;
    rows::add_old(&store, old).await;
    let made = begun.elapsed();
    let look = look_ms(&stand.rig).await?;
    stand.rig.start_programs().await?;
    stand.saturate(Duration::from_secs(2)).await?;
    let rate = stand.saturate(plan.seconds(8, 30)).await?;

    let (share, most) = (rate.delivered_per_s / empty, look_before * MOST_TIMES + SLACK_MS);
    let mut report = Report::new("backlog", shape);
    report.figure("due_rows", due as f64).figure("old_rows", old as f64);
    report.figure("rows_made_in_s", made.as_secs_f64()).figure("empty_delivered_per_s", empty);
    rate.tell(&mut report);
    report.figure("look_p50_ms_with_a_row_a_lane", look_before).figure("look_p50_ms", look);
    report.goal(format!("throughput ≥ {LEAST} × that without the rows (is {share:.2} ×)"), share >= LEAST);
    report.goal(format!("a look ≤ {most:.1} ms (is {look:.1})"), look <= most);
    Ok(report)
}

/// What the dispatcher's own look takes, half of the times.
async fn look_ms(rig: &Rig) -> Result<f64> {
    let context = context(rig).await?;
    let mut times = Histogram::default();
    for _ in 0..LOOKS {
        let begun = Instant::now();
        worker::dispatch::deliveries(&context, Uuid::nil(), 1_024).await?;
        times.note(begun.elapsed());
    }
    context.database.close().await;
    Ok(times.quantile_ms(0.5))
}

async fn context(rig: &Rig) -> Result<Context> {
    let data = rig.data().display().to_string();
    let settings = HashMap::from([("DATA_DIR", data), ("DATABASE_URL", rig.database_url())]);
    let config = Config::load(Role::AllInOne, |name| settings.get(name).cloned())?;
    Ok(Context::connect(config, Telemetry::for_tests()).await?)
}
