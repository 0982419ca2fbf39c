//! A replay as callers see it.

use domain::{
    clock::Millis,
    id::{EndpointId, ReplayId, UserId},
    replay::ReplayState,
};
use entity::replay::Model;
use serde::Serialize;

/// A replay with how far it is: it is through when `done` and `skipped` make up `total`.
#[derive(Serialize)]
pub(crate) struct ReplayOut {
    id: ReplayId,
    state: String,
    total: i64,
    done: i64,
    skipped: i64,
    rate_per_second: i32,
    filter: FilterOut,
    created_at: String,
    finished_at: Option<String>,
}

#[derive(Serialize)]
struct FilterOut {
    user_id: Option<UserId>,
    endpoint_id: Option<EndpointId>,
    state: String,
    #[serde(rename = "type")]
    event_type: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl ReplayOut {
    pub(super) fn of(row: Model) -> Self {
        Self {
            id: row.id.into(),
            state: row.state,
            total: row.total,
            done: row.done,
            skipped: row.skipped,
            rate_per_second: row.rate,
            filter: FilterOut {
                user_id: row.user_id.map(UserId),
                endpoint_id: row.endpoint_id.map(EndpointId),
                state: row.of_state,
                event_type: row.event_type,
                since: row.since.map(|at| Millis(at).rfc3339()),
                until: row.until.map(|at| Millis(at).rfc3339()),
            },
            created_at: Millis(row.created_at).rfc3339(),
            finished_at: row.finished_at.map(|at| Millis(at).rfc3339()),
        }
    }

    /// Whether it stands so.
    pub(super) fn is(&self, state: ReplayState) -> bool {
        self.state == state.as_str()
    }

    /// Where it stands.
    pub(super) fn state(&self) -> &str {
        &self.state
    }
}
