//! The parts of the overview, each of which fetches itself again when the stream says that it changed.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use super::{
    tiles::{Tile, tiles},
    views::{DeliveryView, ErrorView, FirstSteps, MinuteView, ProcessView, QueueView},
};
use crate::{app::App, format::badge::Badge, live::snapshot::Snapshot, problem::Problem};

/// The counters.
#[derive(Template, WebTemplate)]
#[template(path = "overview/counters.html")]
pub(crate) struct Counters {
    tiles: Vec<Tile>,
    summary: String,
}

/// The queues.
#[derive(Template, WebTemplate)]
#[template(path = "overview/queues.html")]
pub(crate) struct Queues {
    queues: Vec<QueueView>,
    health: Badge,
}

/// The processes.
#[derive(Template, WebTemplate)]
#[template(path = "overview/processes.html")]
pub(crate) struct Processes {
    processes: Vec<ProcessView>,
    work_waits: bool,
}

/// The newest deliveries.
#[derive(Template, WebTemplate)]
#[template(path = "overview/deliveries.html")]
pub(crate) struct Deliveries {
    deliveries: Vec<DeliveryView>,
    first_steps: Option<FirstSteps>,
}

/// The newest errors.
#[derive(Template, WebTemplate)]
#[template(path = "overview/errors.html")]
pub(crate) struct Errors {
    errors: Vec<ErrorView>,
}

/// The chart as a table.
#[derive(Template, WebTemplate)]
#[template(path = "overview/minutes.html")]
pub(crate) struct Minutes {
    minutes: Vec<MinuteView>,
    rate: String,
}

impl Counters {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let tiles = tiles(snapshot);
        let spoken = tiles.iter().map(|tile| format!("{}: {}", tile.label, tile.value));
        Self { summary: spoken.collect::<Vec<_>>().join(", "), tiles }
    }
}

impl Queues {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            queues: snapshot.queues.iter().map(QueueView::of).collect(),
            health: super::views::queue_health(snapshot),
        }
    }
}

impl Processes {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let all_lost = snapshot.processes.iter().all(|process| process.lost);
        Self {
            processes: snapshot
                .processes
                .iter()
                .map(|process| ProcessView::of(process, snapshot.at))
                .collect(),
            work_waits: all_lost && !snapshot.backlog.due.is_zero(),
        }
    }
}

impl Deliveries {
    pub(super) fn of(snapshot: &Snapshot, first_steps: Option<FirstSteps>) -> Self {
        let deliveries = snapshot.deliveries.iter().map(|row| DeliveryView::of(row, snapshot.at));
        Self { deliveries: deliveries.collect(), first_steps }
    }
}

impl Errors {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self { errors: snapshot.errors.iter().map(|row| ErrorView::of(row, snapshot.at)).collect() }
    }
}

impl Minutes {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            minutes: MinuteView::list(&snapshot.series.by_minute(snapshot.at)),
            rate: format!("{:.1}", snapshot.series.rate(snapshot.at)),
        }
    }
}

macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident -> $part:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) async fn $name(State(app): State<App>) -> Result<$part, Problem> {
            Ok($part::of(&*app.live.snapshot(&app.sources).await?))
        }
    )+};
}

handlers! {
    /// The counters, as they are.
    counters -> Counters,
    /// The queues, as they are.
    queues -> Queues,
    /// The processes, as they are.
    processes -> Processes,
    /// The newest errors, as they are.
    errors -> Errors,
    /// The chart's table, as it is.
    minutes -> Minutes,
}

/// The newest deliveries, or how to make the first one.
pub(crate) async fn deliveries(State(app): State<App>) -> Result<Deliveries, Problem> {
    let snapshot = app.live.snapshot(&app.sources).await?;
    let first_steps = snapshot.is_untouched().then(|| FirstSteps::of(&app));
    Ok(Deliveries::of(&snapshot, first_steps))
}
