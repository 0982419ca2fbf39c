//! The stream that keeps pages live.

use std::time::Duration;

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
};

use crate::{app::App, problem::Problem};

/// Longest silence; proxies give up on streams that say nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Opens a stream of events.
pub(crate) async fn stream(State(app): State<App>) -> Result<Response, Problem> {
    let events = app.live.listen().ok_or(Problem::Busy)?;
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Proxies must not wait for the end of what has none.
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}
