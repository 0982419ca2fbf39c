//! A notice as callers see it, with the broadcasts that announce it.

use std::collections::HashMap;

use domain::{clock::Millis, id::NoticeId};
use entity::{broadcast, notice::Model};
use serde::Serialize;
use uuid::Uuid;

use super::Notices;
use crate::{app::App, problem::Problem, routes::resource::Resource};

/// A notice.
#[derive(Serialize)]
pub(crate) struct NoticeOut {
    id: NoticeId,
    title: String,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    created_at: String,
    broadcasts: Vec<BroadcastOut>,
}

/// How far a channel is: it is through when its state is `done`.
#[derive(Serialize)]
struct BroadcastOut {
    channel: String,
    state: String,
    total: i64,
    queued: i64,
    created_at: String,
}

impl NoticeOut {
    /// One that was just made.
    pub(super) fn unsent(row: Model) -> Self {
        Self::of(row, Vec::new())
    }

    fn of(row: Model, broadcasts: Vec<BroadcastOut>) -> Self {
        Self {
            id: row.id.into(),
            title: row.title,
            message: row.message,
            kind: row.kind,
            url: row.url,
            created_at: Millis(row.created_at).rfc3339(),
            broadcasts,
        }
    }
}

/// The rows as they are shown, in their order; their broadcasts are read in one statement.
pub(super) async fn with_broadcasts(app: &App, rows: Vec<Model>) -> Result<Vec<NoticeOut>, Problem> {
    let ids = rows.iter().map(|row| row.id).collect();
    let found =
        entity::notice::queries::broadcasts(&app.context.database, ids).await.map_err(Notices::unreadable)?;
    let mut by_notice: HashMap<Option<Uuid>, Vec<BroadcastOut>> = HashMap::new();
    for row in found {
        by_notice.entry(row.notice_id).or_default().push(row.into());
    }
    let shown = |row: Model| {
        let broadcasts = by_notice.remove(&Some(row.id)).unwrap_or_default();
        NoticeOut::of(row, broadcasts)
    };
    Ok(rows.into_iter().map(shown).collect())
}

impl From<broadcast::Model> for BroadcastOut {
    fn from(row: broadcast::Model) -> Self {
        Self {
            channel: row.channel,
            state: row.state,
            total: row.total,
            queued: row.queued,
            created_at: Millis(row.created_at).rfc3339(),
        }
    }
}
