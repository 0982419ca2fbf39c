//! The overview: how it goes, at a glance.

pub(crate) mod fragments;
mod tiles;
mod views;

pub(crate) use self::views::ErrorView;

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use self::{
    fragments::{Counters, Deliveries, Errors, Minutes, Processes, Queues},
    views::FirstSteps,
};
use crate::{app::App, layout::Layout, problem::Problem};

/// The whole page: every fragment as it is now, so that it is complete without a script.
#[derive(Template, WebTemplate)]
#[template(path = "overview/page.html")]
pub(crate) struct OverviewPage {
    layout: Layout,
    counters: Counters,
    queues: Queues,
    processes: Processes,
    deliveries: Deliveries,
    errors: Errors,
    minutes: Minutes,
    points: String,
    now_ms: i64,
}

/// Shows the overview.
pub(crate) async fn page(State(app): State<App>, layout: Layout) -> Result<OverviewPage, Problem> {
    let snapshot = app.live.snapshot(&app.sources).await?;
    let first_steps = snapshot.is_untouched().then(|| FirstSteps::of(&app));
    Ok(OverviewPage {
        layout,
        counters: Counters::of(&snapshot),
        queues: Queues::of(&snapshot),
        processes: Processes::of(&snapshot),
        deliveries: Deliveries::of(&snapshot, first_steps),
        errors: Errors::of(&snapshot),
        minutes: Minutes::of(&snapshot),
        points: snapshot.series.json(),
        now_ms: snapshot.at.0,
    })
}
