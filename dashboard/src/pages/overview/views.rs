//! Rows of the overview, ready to be rendered.

use domain::{
    clock::Millis,
    job::{QueueName, WINDOW},
};
use entity::{delivery::queries::Row, error_log, process::queries::Process};
use uuid::Uuid;

use crate::{
    app::App,
    format::{
        badge::{Badge, Tone},
        number::grouped,
        status::DisplayStatus,
        time::Moment,
    },
    live::{
        series::Second,
        snapshot::{QueueDepth, Snapshot},
    },
};

/// A queue with how full it is.
pub(crate) struct QueueView {
    pub(super) name: &'static str,
    pub(super) depth: String,
    pub(super) filled: usize,
}

impl QueueView {
    pub(super) fn of(queue: &QueueDepth) -> Self {
        Self {
            name: queue.name.as_str(),
            depth: queue.depth.map_or_else(|| "unknown".to_owned(), |depth| grouped(depth as u64)),
            filled: queue.depth.map_or(0, |depth| (depth * 100).div_ceil(WINDOW).min(100)),
        }
    }
}

/// Whether the queue moves. A queue that is away is no loss: workers go by the database.
pub(super) fn queue_health(snapshot: &Snapshot) -> Badge {
    let says_depth = snapshot.queues.iter().all(|queue| queue.depth.is_some());
    match snapshot.queue_healthy && says_depth {
        true => Badge::new(Tone::Good, "Answers"),
        false => Badge::new(Tone::Warn, "Away: working from the database"),
    }
}

/// A process with its heartbeat.
pub(crate) struct ProcessView {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) version: String,
    pub(super) queues: String,
    pub(super) load: String,
    pub(super) health: Badge,
    pub(super) seen: Moment,
}

impl ProcessView {
    pub(super) fn of(process: &Process, now: Millis) -> Self {
        let said = &process.said;
        let health = match (process.lost, said.queue_ok) {
            (true, _) => Badge::new(Tone::Bad, "Lost"),
            (false, true) => Badge::new(Tone::Good, "Alive"),
            (false, false) => Badge::new(Tone::Warn, "No queue"),
        };
        Self {
            name: said.name.clone(),
            kind: said.kind.clone(),
            version: said.version.clone(),
            queues: queues(&said.queues),
            load: format!("{} of {} slots", said.in_flight, said.slots),
            health,
            seen: Moment::new(Millis(said.seen_at), now),
        }
    }
}

/// The queues that a process works, by name unless it works them all.
fn queues(said: &str) -> String {
    let all = QueueName::ALL.iter().all(|queue| said.split(',').any(|name| name.trim() == queue.as_str()));
    if all { "all queues".to_owned() } else { said.replace(',', ", ") }
}

/// A delivery as a row.
pub(crate) struct DeliveryView {
    pub(super) id: Uuid,
    pub(super) badge: Badge,
    pub(super) event_type: String,
    pub(super) recipient: String,
    pub(super) user: Option<i64>,
    pub(super) attempts: i32,
    pub(super) accepted: Moment,
    pub(super) next: Option<Moment>,
}

impl DeliveryView {
    pub(super) fn of(row: &Row, now: Millis) -> Self {
        let standing = DisplayStatus::of(row, now);
        let waits_for_retry = standing == DisplayStatus::Failing && row.due_at > now.0;
        Self {
            id: row.id,
            badge: standing.badge(),
            event_type: row.event_type.clone().unwrap_or_else(|| "event".to_owned()),
            recipient: row.url.clone().unwrap_or_else(|| format!("{} {}", row.channel, row.recipient_id)),
            user: row.user_id,
            attempts: row.attempts,
            accepted: Moment::new(Millis(row.created_at), now),
            next: waits_for_retry.then(|| Moment::new(Millis(row.due_at), now)),
        }
    }
}

/// An error as a row, here and on the page of errors.
pub(crate) struct ErrorView {
    pub(crate) id: Uuid,
    pub(crate) subject: Option<String>,
    pub(crate) kind: String,
    pub(crate) subject_short: String,
    pub(crate) message: String,
    pub(crate) attempt: Option<i32>,
    pub(crate) next: Option<Moment>,
    pub(crate) at: Moment,
}

impl ErrorView {
    pub(crate) fn of(row: &error_log::Model, now: Millis) -> Self {
        let subject = match row.kind.as_str() {
            "delivery" => Some(format!("/deliveries/{}", row.subject_id)),
            "upload" => Some(format!("/uploads/{}", row.subject_id)),
            _ => None,
        };
        Self {
            id: row.id,
            subject,
            kind: row.kind.clone(),
            subject_short: short(row.subject_id),
            message: row.message.clone(),
            attempt: row.attempt,
            next: row.next_retry_at.filter(|at| *at > now.0).map(|at| Moment::new(Millis(at), now)),
            at: Moment::new(Millis(row.created_at), now),
        }
    }
}

/// The end of an id: its beginning is a time, and alike in all that came in together.
fn short(id: Uuid) -> String {
    let id = id.to_string();
    format!("…{}", &id[id.len() - 8..])
}

/// A minute of the chart's table.
pub(crate) struct MinuteView {
    pub(super) label: String,
    pub(super) delivered: String,
    pub(super) failed: String,
}

impl MinuteView {
    pub(super) fn list(minutes: &[Second]) -> Vec<Self> {
        let label = |back: usize| match back {
            0 => "last minute".to_owned(),
            back => format!("{back} to {} min ago", back + 1),
        };
        let whole = |number: i64| grouped(u64::try_from(number).unwrap_or(0));
        let view = |(back, minute): (usize, &Second)| Self {
            label: label(back),
            delivered: whole(minute.delivered),
            failed: whole(minute.failed),
        };
        minutes.iter().enumerate().map(view).collect()
    }
}

/// What a newcomer types to see a first delivery.
pub(crate) struct FirstSteps {
    pub(super) api: String,
    pub(super) with_key: bool,
}

impl FirstSteps {
    pub(super) fn of(app: &App) -> Self {
        let api = app.settings.public_url.as_str().trim_end_matches('/').to_owned();
        Self { api, with_key: app.sessions.are_required() }
    }
}
