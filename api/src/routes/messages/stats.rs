//! `GET /stats`: what is known of all messages, read from counts that are kept with them: as quick with a million as with
//! none.

use axum::{Json, extract::State};
use entity::message::queries::Stats;
use serde::Serialize;

use crate::{app::App, auth::Administrator, problem::Problem, search};

#[derive(Serialize)]
pub(crate) struct StatsOut {
    total_messages: i64,
    senders_count: i64,
    messages_per_sender: Vec<SenderOut>,
    first_message_ts: Option<String>,
    last_message_ts: Option<String>,
}

#[derive(Serialize)]
struct SenderOut {
    from: String,
    count: i64,
}

/// Shows them; the times are null when there is no message.
pub(crate) async fn stats(_: Administrator, State(app): State<App>) -> Result<Json<StatsOut>, Problem> {
    let rows = search::look(&app, &entity::message::queries::stats()).await?;
    Ok(Json(StatsOut::of(rows)))
}

impl StatsOut {
    fn of(rows: Vec<Stats>) -> Self {
        // Each row says the same of all messages.
        let all = rows.first().cloned();
        let senders = rows.into_iter().filter_map(|row| Some((row.sender?, row.from_sender?)));
        Self {
            messages_per_sender: senders.map(|(from, count)| SenderOut { from, count }).collect(),
            total_messages: all.as_ref().map_or(0, |all| all.messages),
            senders_count: all.as_ref().map_or(0, |all| all.senders),
            first_message_ts: all.as_ref().and_then(|all| all.first_ts.clone()),
            last_message_ts: all.and_then(|all| all.last_ts),
        }
    }
}
