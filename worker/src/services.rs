//! The services of a worker, in the order in which they stop: first nothing new is taken, then what was taken is sent and
//! recorded, then upkeep ends.

use std::time::{Duration, Instant};

use domain::id::ProcessId;
use futures_util::FutureExt;
use platform::{context::Context, supervisor::Service};
use tokio_util::sync::CancellationToken;

use crate::{
    broadcasts::{Broadcaster, broadcasts},
    claim::{Claimer, Recheck},
    doctor::doctor,
    due::Due,
    endpoints::EndpointCache,
    handover::Intake,
    jobs::Jobs,
    lanes::SendSlots,
    maintenance::{self, Heartbeat},
    queue_workers::{self, WorkerOptions},
    record::Recorder,
    replays::replays,
    retention::retention,
    send::{Sender, SenderError},
    uploads::{UploadProcessor, uploads},
};

/// How long the stop of one queue holds up the next service: its handlers return at once, except for an upload in progress.
const QUEUE_STOPS_WITHIN: Duration = Duration::from_secs(10);
/// What a stop keeps for recording after the sends have had their time.
const KEPT_FOR_RECORDS: Duration = Duration::from_secs(3);

/// The services of a worker; `kind` is what its heartbeat says it is.
///
/// # Errors
/// When the HTTP client can't be built, or a channel can't be used as it is set.
pub fn services(context: &Context, kind: &'static str) -> Result<Vec<Service>, SenderError> {
    let (slots, recheck, due) =
        (SendSlots::new(context.config.send_slots), Recheck::default(), Due::default());
    let endpoints = EndpointCache::new(context);
    let (recorder, records) = Recorder::new(context);
    let records = records.notifying(recheck.clone());
    let sender = Sender::new(context, recorder)?;
    let claimer = Claimer::new(context, endpoints.clone(), slots.clone(), recheck, due.clone());
    // Cancelled with the first service: from then on nothing is started, and what was started has all the time there is.
    let halt = CancellationToken::new();
    let (intake, intake_loop) = Intake::new(context, endpoints.clone(), slots, sender.clone(), halt.clone());
    let processor = UploadProcessor::new(context, halt.clone());
    let jobs =
        Jobs { intake, uploads: processor.clone(), broadcaster: Broadcaster::new(context, halt.clone()) };

    let mut services = vec![claims(claimer, &sender, halt.clone())];
    services.extend(queues(context, &jobs));
    services.push(service("intake", move |stop| intake_loop.run(stop)));
    services
        .push(service("endpoint changes", move |stop| async move { endpoints.follow_changes(stop).await }));
    services.push(sends(context, &sender, halt));
    services.push(service("recorder", move |stop| records.run(stop)));
    let leases = sender.leases().clone();
    services.push(task("leases", context, move |context, stop| leases.run(context, stop)));
    services.extend(upkeep(context, kind, &sender, &due, processor));
    Ok(services)
}

/// The dashboard on its address; the process that works serves it.
#[must_use]
pub fn dashboard(context: &Context) -> Vec<Service> {
    dashboard::services(context)
}

/// The same on a listener that is bound already.
#[must_use]
pub fn dashboard_on(context: &Context, listener: std::net::TcpListener) -> Vec<Service> {
    dashboard::services_on(context, listener)
}

/// Claims until its stop, which halts the other ways to a send as well.
fn claims(claimer: Claimer, sender: &Sender, halt: CancellationToken) -> Service {
    let sender = sender.clone();
    service("claims", |stop| async move {
        let halting = stop.clone().cancelled_owned().then(|()| async move { halt.cancel() });
        tokio::join!(claimer.run(stop, |delivery, slot| sender.start(delivery, slot)), halting);
    })
}

fn queues(context: &Context, jobs: &Jobs) -> Vec<Service> {
    let service = |name| {
        let (queue, jobs) = (context.queue.clone(), jobs.clone());
        Service::new("queue", move |stop| async move {
            Ok(queue_workers::run(&queue, name, WorkerOptions::for_queue(name), jobs, stop).await?)
        })
        .with_deadline(QUEUE_STOPS_WITHIN)
    };
    context.config.worker_queues.iter().copied().map(service).collect()
}

/// Waits for the sends under way, as long as a stop has left for them since it began with the halt.
fn sends(context: &Context, sender: &Sender, halt: CancellationToken) -> Service {
    let sender = sender.clone();
    let patience = context.config.shutdown_timeout.saturating_sub(KEPT_FOR_RECORDS);
    service("sends", move |stop| async move {
        let _ = stop.run_until_cancelled(halt.cancelled()).await;
        let began = Instant::now();
        stop.cancelled().await;
        sender.drain(patience.saturating_sub(began.elapsed())).await;
    })
}

fn upkeep(
    context: &Context,
    kind: &'static str,
    sender: &Sender,
    due: &Due,
    processor: UploadProcessor,
) -> Vec<Service> {
    let who = Heartbeat { id: ProcessId::new(), kind, started_at: context.clock.now() };
    let (beating, gauging) = (sender.clone(), sender.clone());
    let Due { uploads: due_uploads, broadcasts: due_broadcasts, replays: due_replays } = due.clone();
    vec![
        task("uploads", context, |context, stop| uploads(context, processor, due_uploads, stop)),
        task("partitions", context, maintenance::partitions),
        task("vacuum", context, maintenance::vacuum),
        task("broadcasts", context, |context, stop| broadcasts(context, due_broadcasts, stop)),
        task("replays", context, |context, stop| replays(context, due_replays, stop)),
        task("retention", context, retention),
        task("doctor", context, doctor),
        task("lanes", context, maintenance::lanes::lanes),
        task("orphans", context, maintenance::orphans),
        task("forget keys", context, maintenance::forget_keys),
        task("gauges", context, |context, stop| maintenance::gauges(context, gauging, stop)),
        task("heartbeat", context, move |context, stop| maintenance::heartbeat(context, who, beating, stop)),
    ]
}

/// A service that goes on until it is stopped, and never fails.
fn task<Work, Running>(name: &'static str, context: &Context, work: Work) -> Service
where
    Work: FnOnce(Context, CancellationToken) -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    let context = context.clone();
    service(name, |stop| work(context, stop))
}

/// The same without the context.
fn service<Work, Running>(name: &'static str, work: Work) -> Service
where
    Work: FnOnce(CancellationToken) -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    Service::new(name, |stop| async move {
        work(stop).await;
        Ok(())
    })
}
