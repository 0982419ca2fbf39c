//! A run: load, the faults of the schedule one after the other, then the balance.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use bytes::Bytes;
use http::HeaderMap;
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    balance::{self, SLOTS},
    fault::Fault,
    faults::Scene,
    load::{CLIENTS, Load, UPLOADERS},
    postgres_faults::Clock,
    schedule::schedule,
};
use crate::{
    cluster::{Cluster, ClusterOptions, Shape},
    ledger::Ledger,
    load::EVENT_TYPE,
    receiver::Receiver,
    report::Report,
    scenarios::Plan,
};

/// Longest time of start, stragglers and balance together.
pub(crate) const AFTERWARDS: Duration = Duration::from_secs(300);
/// Longest wait for stragglers: longer than an upload's lease and a breaker's second wait.
const STRAGGLE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Short waits first, then long ones: no delivery is given up before the run ends.
const RETRY_SCHEDULE: &str = "1s,1s,2s,2s,5s,5s,10s,10s,30s,30s,60s,60s,120s,120s,120s";
/// Load before the first fault: scans claim what is due several times meanwhile.
const CALM: Duration = Duration::from_secs(4);
/// Load after the last.
const AFTER: Duration = Duration::from_secs(1);

const USUAL: Duration = Duration::from_secs(240);
/// Below, not one fault fits.
const LEAST: Duration = Duration::from_secs(10);

/// A fault that is over.
struct Healed {
    fault: Fault,
    at: Instant,
    /// The first number handed out afterwards.
    first: usize,
}

/// How long faults happen: four minutes, which hold each fault once, unless the command line says otherwise, and no less than one fault takes.
pub(crate) fn faults_for(plan: &Plan) -> Duration {
    plan.length.map_or(USUAL, |length| length.max(LEAST))
}

pub(crate) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let ledger = Arc::new(Ledger::new());
    let mut scene = set_up(shape, &ledger).await?;
    let endpoints = register(&scene).await?;
    eprintln!("bench: chaos on {shape}, seed {}, {} s of faults", plan.seed, faults_for(plan).as_secs());
    let load = Load::start(&scene.cluster.address(), &endpoints, &ledger);
    sleep(CALM).await;
    let twice_in_calm = ledger.sums().twice;
    let (healed, ended) = make_faults(&mut scene, plan, &ledger).await?;
    sleep(AFTER).await;
    load.stop().await;
    let waited = Instant::now();
    while ledger.outstanding() > 0 && waited.elapsed() < STRAGGLE {
        sleep(LOOK_EVERY).await;
    }
    let mut report = Report::new("chaos", shape);
    balance::add_sums(&ledger.sums(), shape, healed.len(), &mut report);
    balance::add_rows(&scene, &mut report).await;
    tell_recovery(&healed, &ledger, &mut report);
    report
        .figure("seed", plan.seed as f64)
        .figure("faults", healed.len() as f64)
        .figure("waited_for_stragglers_s", waited.elapsed().as_secs_f64())
        .figure("ended_by_themselves", ended as f64)
        .must(
            format!("nothing arrives twice while nothing is broken (is {twice_in_calm})"),
            twice_in_calm == 0,
        )
        .must("no process ends unexpectedly", ended == 0);
    if scene.cluster.disk.is_none() {
        report.note("no full disk: this user may not mount one");
    }
    if shape == Shape::Embedded {
        report.note("no moved clock: one machine has no clock but the system's");
    }
    Ok(report)
}

async fn set_up(shape: Shape, ledger: &Arc<Ledger>) -> Result<Scene> {
    let book = Arc::clone(ledger);
    let receiver = Receiver::watched(move |_: &HeaderMap, body: &Bytes| book.arrived(body)).await?;
    let settings = vec![
        // Longer than a busy machine takes for a burst of sends, short enough for leases to be waited for.
        ("DELIVERY_TIMEOUT", "3s".to_owned()),
        ("SEND_SLOTS", SLOTS.to_string()),
        ("RETRY_SCHEDULE", RETRY_SCHEDULE.to_owned()),
        ("LOG_LEVEL", "WARNING".to_owned()),
    ];
    let cluster = Cluster::start(shape, &ClusterOptions { workers: 2, settings, small_disk: true }).await?;
    Ok(Scene { cluster, receiver, clock: Clock::default(), table_lock: None, write_lock: None })
}

/// Makes an endpoint for each client.
async fn register(scene: &Scene) -> Result<Vec<Uuid>> {
    let api = scene.cluster.api();
    api.make_event_type(EVENT_TYPE).await?;
    let mut endpoints = vec![];
    for number in 0..CLIENTS {
        let url = scene.receiver.url(&format!("/endpoint/{number}"));
        let event_type = if number < UPLOADERS { "upload file" } else { EVENT_TYPE };
        endpoints.push(api.make_endpoint(&url, event_type).await?);
    }
    Ok(endpoints)
}

async fn make_faults(scene: &mut Scene, plan: &Plan, ledger: &Ledger) -> Result<(Vec<Healed>, usize)> {
    let (begun, mut healed, mut ended) = (Instant::now(), vec![], 0);
    let steps = schedule(plan.seed, scene.cluster.shape, faults_for(plan), &plan.faults);
    for step in steps.into_iter().filter(|step| scene.can(step.fault)).collect::<Vec<_>>() {
        sleep(step.after).await;
        let at = begun.elapsed().as_secs_f64();
        eprintln!("bench: {at:7.1} s  {} for {:.1} s", step.fault, step.hold.as_secs_f64());
        scene.begin(step.fault).await?;
        scene.hold(step.fault, step.hold).await?;
        scene.end(step.fault).await?;
        healed.push(Healed { fault: step.fault, at: Instant::now(), first: ledger.upcoming() });
        ended += scene.tend().await?;
    }
    Ok((healed, ended))
}

/// Returns the time from the end of a fault to the first arrival of work accepted after it.
fn tell_recovery(healed: &[Healed], ledger: &Ledger, report: &mut Report) {
    let times =
        healed.iter().filter_map(|one| Some((ledger.first_arrival_of(one.first, one.at)?, one.fault)));
    if let Some((time, fault)) = times.max_by_key(|(time, _)| *time) {
        report.figure("longest_recovery_s", time.as_secs_f64());
        report.note(format!("the longest recovery was after: {fault}"));
    }
}
