//! The services of a worker, in the order in which they stop: first nothing new is taken, then what was taken is sent and
//! recorded, then the house is swept.

use std::time::Duration;

use domain::{id::ProcessId, job::QueueName};
use futures_util::FutureExt;
use platform::{context::Context, supervisor::Service};
use tokio_util::sync::CancellationToken;

use crate::{
    broadcasts::{Broadcaster, broadcasts},
    claim::{Backlogs, Claimer, Claims, Slots},
    dispatch::{Dispatcher, Waiting},
    doctor::doctor,
    janitors::{self, Heartbeat},
    jobs::Jobs,
    queue_workers::{self, WorkerOptions},
    record::Recorder,
    replays::replays,
    retention::retention,
    send::{Sender, SenderError},
    uploads::UploadProcessor,
};

/// Jobs of deliveries that are handled at once: each only waits for its claim, so that claims of many are grouped.
const DELIVERY_JOBS: usize = 64;
/// Jobs of any other queue that are handled at once: they do their work, which has limits of its own.
const OTHER_JOBS: usize = 4;
/// How long the stop of one queue holds up the next service: its handlers return at once, but for an upload in hand.
const QUEUE_STOPS_WITHIN: Duration = Duration::from_secs(10);
/// What a stop keeps for recording after the sends have had their time.
const KEPT_FOR_RECORDS: Duration = Duration::from_secs(3);

/// The services of a worker; `kind` is what its heartbeat says it is.
///
/// # Errors
/// When the HTTP client can't be built, or a channel can't be used as it is set.
pub fn services(context: &Context, kind: &'static str) -> Result<Vec<Service>, SenderError> {
    let (slots, backlogs) = (Slots::new(context.config.send_slots), Backlogs::default());
    let waiting = Waiting::default();
    let (recorder, records) = Recorder::new(context);
    let records = records.telling(waiting.clone());
    let sender = Sender::new(context, recorder)?;
    let (claimer, claims) = Claimer::new(context, slots.clone(), backlogs.clone());
    // Cancelled with the first service: from then on nothing is claimed, and what was claimed has all the time there is.
    let halt = CancellationToken::new();
    let jobs = Jobs {
        claimer,
        uploads: UploadProcessor::new(context, halt.clone()),
        broadcaster: Broadcaster::new(context, halt.clone()),
    };

    let dispatches = Dispatcher::new(context.clone(), jobs.clone()).with_slots(slots, backlogs, waiting);
    let mut services = vec![dispatcher(dispatches, halt.clone())];
    services.extend(queues(context, &jobs));
    services.push(sends(context, claims, &sender, halt));
    services.push(Service::new("recorder", |stop| async move {
        records.run(stop).await;
        Ok(())
    }));
    services.extend(upkeep(context, kind, &sender));
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

fn dispatcher(dispatcher: Dispatcher<Jobs>, halt: CancellationToken) -> Service {
    Service::new("dispatcher", |stop| async move {
        let halting = stop.clone().cancelled_owned().then(|()| async move { halt.cancel() });
        tokio::join!(dispatcher.run(stop), halting);
        Ok(())
    })
}

fn queues(context: &Context, jobs: &Jobs) -> Vec<Service> {
    let service = |name| {
        let (queue, jobs) = (context.queue.clone(), jobs.clone());
        Service::new("queue", move |stop| async move {
            let handler = move |hint| {
                let jobs = jobs.clone();
                async move {
                    jobs.work(name, hint).await;
                    Ok(())
                }
            };
            let at_once = if name == QueueName::Deliveries { DELIVERY_JOBS } else { OTHER_JOBS };
            queue_workers::run(queue, name, WorkerOptions::new(at_once), handler, stop).await;
            Ok(())
        })
        .with_deadline(QUEUE_STOPS_WITHIN)
    };
    context.config.worker_queues.iter().copied().map(service).collect()
}

fn sends(context: &Context, claims: Claims, sender: &Sender, halt: CancellationToken) -> Service {
    let sender = sender.clone();
    let patience = context.config.shutdown_timeout.saturating_sub(KEPT_FOR_RECORDS);
    Service::new("sends", move |_| async move {
        claims.run(halt, |delivery, slot| sender.start(delivery, slot)).await;
        sender.drain(patience).await;
        Ok(())
    })
}

fn upkeep(context: &Context, kind: &'static str, sender: &Sender) -> Vec<Service> {
    let who = Heartbeat { id: ProcessId::new(), kind, started_at: context.clock.now() };
    let (beating, gauging) = (sender.clone(), sender.clone());
    let queue = context.queue.clone();
    vec![
        task("queue janitor", context, |_, stop| queue_workers::janitor(queue, stop)),
        task("partitions", context, janitors::partitions),
        task("vacuum", context, janitors::vacuum),
        task("broadcasts", context, broadcasts),
        task("replays", context, replays),
        task("retention", context, retention),
        task("doctor", context, doctor),
        task("lanes", context, janitors::lanes::lanes),
        task("orphans", context, janitors::orphans),
        task("forget keys", context, janitors::forget_keys),
        task("gauges", context, |context, stop| janitors::gauges(context, gauging, stop)),
        task("heartbeat", context, move |context, stop| janitors::heartbeat(context, who, beating, stop)),
    ]
}

/// A service that goes on until it is stopped, and never fails.
fn task<Work, Running>(name: &'static str, context: &Context, work: Work) -> Service
where
    Work: FnOnce(Context, CancellationToken) -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    let context = context.clone();
    Service::new(name, |stop| async move {
        work(context, stop).await;
        Ok(())
    })
}
