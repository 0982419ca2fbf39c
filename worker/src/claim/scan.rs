//! A scan finds the lanes of which something is due. It takes nothing and locks nothing.

use std::time::Instant;

use domain::{clock::Millis, replay::AHEAD_MS};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use sqlx::{PgPool, Result, SqlitePool};
use uuid::Uuid;

use crate::lanes::Holder;

/// Most lanes of one scan.
pub const LANES_A_SCAN: i64 = 256;

/// What may be claimed of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// What is due, up to the lane's share.
    Open,
    /// What its limits allow: it has a rate, a bound of sends in flight, a breaker that is half open, or something to drain.
    Limited,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Lanes of which something is due that may be claimed.
    pub lanes: Vec<(Holder, Gate)>,
    /// The last lane it passed; none when it passed the last one there is.
    pub stopped_at: Option<Uuid>,
    /// Whether an upload is due that has no live lease.
    pub uploads: bool,
    /// Whether a broadcast is.
    pub broadcasts: bool,
    /// Whether a replay may go on.
    pub replays: bool,
}

/// A lane that was passed. The last row has none: its gate says what else is due.
#[derive(sqlx::FromRow)]
struct Passed {
    lane_id: Option<Uuid>,
    channel: Option<String>,
    user_id: Option<i64>,
    gate: i32,
    now: i64,
}

impl Passed {
    fn holder(&self) -> Option<Holder> {
        self.lane_id.map(|lane| Holder::new(lane, self.channel.as_deref(), self.user_id))
    }
}

const OPEN: i32 = 1;
const LIMITED: i32 = 2;
/// Bits of the last row's gate.
const UPLOADS: i32 = 1;
const BROADCASTS: i32 = 2;
const REPLAYS: i32 = 4;

/// The statement in both dialects. The recursion jumps from lane to lane along the index (lane_id, due_at, id); an EXISTS on
/// Postgres may be planned as one read of all that is due, so the first due row is asked for instead.
macro_rules! scan {
    ($now:literal, $greatest:literal, $lane:literal) => {
        concat!(
            "WITH RECURSIVE passed (lane_id, n) AS (
                SELECT * FROM (SELECT lane_id, 1 FROM delivery WHERE lane_id > $2 ORDER BY lane_id LIMIT 1) AS first
                UNION ALL
                SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
                FROM passed WHERE passed.lane_id IS NOT NULL AND n < $3
            )
            SELECT passed.lane_id, l.channel, (SELECT e.user_id FROM endpoint e WHERE e.id = passed.lane_id) AS user_id, CASE
                WHEN l.state <> 'active' OR ", $greatest, "(l.blocked_until, l.breaker_until) > ", $now, " THEN 0
                WHEN (SELECT 1 FROM delivery d WHERE d.lane_id = passed.lane_id AND d.due_at <= ", $now, "
                        AND d.lease_until <= ", $now, " LIMIT 1) IS NULL THEN 0
                WHEN l.id IS NULL THEN 1
                WHEN l.rate_limit IS NULL AND l.max_in_flight IS NULL AND l.breaker_until = 0 AND l.drain_before = 0 THEN 1
                ELSE 2 END AS gate, ", $now, " AS now
            FROM passed LEFT JOIN ", $lane, " WHERE passed.lane_id IS NOT NULL
            UNION ALL SELECT NULL, NULL, NULL,
                coalesce((SELECT 1 FROM upload WHERE state = 'received' AND due_at <= ", $now, " AND lease_until <= ", $now, " LIMIT 1), 0)
                + coalesce((SELECT 2 FROM broadcast WHERE state = 'running' AND lease_until <= ", $now, " LIMIT 1), 0)
                + coalesce((SELECT 4 FROM replay WHERE state = 'running' AND next_at <= ", $now, " + $4 LIMIT 1), 0), ", $now
        )
    };
}

// Joined plainly, Postgres may plan to read every lane there is.
const POSTGRES: &str = scan!(
    "(SELECT now_ms() + $1)",
    "greatest",
    "LATERAL (SELECT * FROM lane WHERE id = passed.lane_id LIMIT 1) AS l ON true"
);
const SQLITE: &str = scan!("CAST($1 AS INTEGER)", "max", "lane l ON l.id = passed.lane_id");

pub(super) async fn scan(context: &Context, after: Uuid) -> Result<Scan, DatabaseError> {
    let (asked_at, time) = (Instant::now(), context.database.statement_time(&context.clock));
    let passed = within_deadline(async {
        match context.database.grouped() {
            Pool::Postgres(pool) => on_postgres(pool, after, time).await,
            Pool::Sqlite(_) => {
                on_sqlite(context.database.reader().get_sqlite_connection_pool(), after, time).await
            }
        }
    })
    .await?;
    if let Some(last) = passed.last() {
        context.database.observe_time(&context.clock, Millis(last.now), asked_at);
    }
    Ok(found(&passed))
}

async fn on_postgres(pool: &PgPool, after: Uuid, offset: i64) -> Result<Vec<Passed>> {
    sqlx::query_as(POSTGRES).bind(offset).bind(after).bind(LANES_A_SCAN).bind(AHEAD_MS).fetch_all(pool).await
}

async fn on_sqlite(pool: &SqlitePool, after: Uuid, now: i64) -> Result<Vec<Passed>> {
    sqlx::query_as(SQLITE).bind(now).bind(after).bind(LANES_A_SCAN).bind(AHEAD_MS).fetch_all(pool).await
}

fn found(passed: &[Passed]) -> Scan {
    let lanes: Vec<(Holder, i32)> =
        passed.iter().filter_map(|passed| Some((passed.holder()?, passed.gate))).collect();
    let is_last = i64::try_from(lanes.len()).is_ok_and(|count| count < LANES_A_SCAN);
    let stopped_at = if is_last { None } else { lanes.iter().map(|(holder, _)| holder.lane).max() };
    let gate = |gate| match gate {
        OPEN => Some(Gate::Open),
        LIMITED => Some(Gate::Limited),
        _ => None,
    };
    let lanes = lanes.into_iter().filter_map(|(holder, number)| Some((holder, gate(number)?))).collect();
    let others = passed.iter().find(|passed| passed.lane_id.is_none()).map_or(0, |others| others.gate);
    let is_due = |bit| others & bit != 0;
    Scan {
        lanes,
        stopped_at,
        uploads: is_due(UPLOADS),
        broadcasts: is_due(BROADCASTS),
        replays: is_due(REPLAYS),
    }
}
