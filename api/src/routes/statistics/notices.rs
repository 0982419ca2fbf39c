//! How many notices there are, of which types, and which channels they were announced on.

use std::collections::HashMap;

use domain::delivery::Channel;
use entity::notice::queries::{Counted, Total};
use serde::Serialize;

use super::only;
use crate::{app::App, problem::Problem, search::search};

/// `notice_stats`. Sent is what a broadcast was accepted for; pending is all the rest.
#[derive(Serialize)]
pub(crate) struct NoticeStats {
    total: i64,
    sent: ByChannel,
    pending: ByChannel,
    by_type: Vec<OfType>,
}

#[derive(Clone, Copy, Serialize)]
struct ByChannel {
    telegram: i64,
    web_push: i64,
}

#[derive(Serialize)]
struct OfType {
    #[serde(rename = "type")]
    kind: String,
    count: i64,
}

/// Counts them. What was sent is counted first: a notice that comes in between is pending, and nothing is below zero.
pub(super) async fn count(app: &App) -> Result<NoticeStats, Problem> {
    let sent = by_channel(search(app, entity::notice::queries::sent()).await?);
    let all: Total = only(search(app, entity::notice::queries::total()).await?)?;
    let by_type: Vec<Counted> = search(app, entity::notice::queries::by_type()).await?;
    let pending = |sent: i64| (all.notices - sent).max(0);
    Ok(NoticeStats {
        total: all.notices,
        sent,
        pending: ByChannel { telegram: pending(sent.telegram), web_push: pending(sent.web_push) },
        by_type: by_type.into_iter().map(|row| OfType { kind: row.word, count: row.notices }).collect(),
    })
}

fn by_channel(rows: Vec<Counted>) -> ByChannel {
    let counts: HashMap<String, i64> = rows.into_iter().map(|row| (row.word, row.notices)).collect();
    let on = |channel: Channel| counts.get(channel.as_str()).copied().unwrap_or(0);
    ByChannel { telegram: on(Channel::Telegram), web_push: on(Channel::WebPush) }
}
