//! A scan finds the lanes of which something is due, and what else is due. It takes nothing and locks nothing.

use std::time::Instant;

use domain::{clock::Millis, replay::AHEAD_MS};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool, within_deadline},
};
use uuid::Uuid;

use super::rules::{eligible, lane_walk, sendable_at, unlimited};

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

/// A lane of which something is due that may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLane {
    /// Its id.
    pub id: Uuid,
    /// Its channel; none when its row is gone.
    pub channel: Option<String>,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// What may be claimed of it.
    pub gate: Gate,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Lanes of which something is due that may be claimed.
    pub lanes: Vec<DueLane>,
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
struct Passed {
    lane_id: Option<Uuid>,
    channel: Option<String>,
    user_id: Option<i64>,
    gate: i32,
    now: i64,
}

from_row!(Passed { lane_id, channel, user_id, gate, now });

const OPEN: i32 = 1;
const LIMITED: i32 = 2;
/// Bits of the last row's gate.
const UPLOADS: i32 = 1;
const BROADCASTS: i32 = 2;
const REPLAYS: i32 = 4;

/// The statement in both dialects. An EXISTS on Postgres may be planned as one read of all that is due, so the first due row
/// is asked for instead.
macro_rules! scan {
    ($dialect:ident, $now:literal, $lane:literal) => {
        concat!(
            lane_walk!("$2", "$3"),
            " SELECT passed.lane_id, l.channel,
                (SELECT e.user_id FROM endpoint e WHERE e.id = passed.lane_id) AS user_id, CASE
                WHEN NOT (", sendable_at!($dialect "l"), $now, ") THEN 0
                WHEN (SELECT 1 FROM delivery d WHERE d.lane_id = passed.lane_id AND ", eligible!("d", $now), " LIMIT 1) IS NULL THEN 0
                WHEN l.id IS NULL THEN 1
                WHEN ", unlimited!("l"), " THEN 1
                ELSE 2 END AS gate, ", $now, " AS now
            FROM passed LEFT JOIN ", $lane, " WHERE passed.lane_id IS NOT NULL
            UNION ALL SELECT NULL, NULL, NULL,
                coalesce((SELECT 1 FROM upload WHERE state = 'received' AND ", eligible!("upload", $now), " LIMIT 1), 0)
                + coalesce((SELECT 2 FROM broadcast WHERE state = 'running' AND lease_until <= ", $now, " LIMIT 1), 0)
                + coalesce((SELECT 4 FROM replay WHERE state = 'running' AND next_at <= ", $now, " + $4 LIMIT 1), 0), ", $now
        )
    };
}

// Joined plainly, Postgres may plan to read every lane there is.
const POSTGRES: &str = scan!(
    postgres,
    "(SELECT now_ms() + $1)",
    "LATERAL (SELECT * FROM lane WHERE id = passed.lane_id LIMIT 1) AS l ON true"
);
const SQLITE: &str = scan!(sqlite, "CAST($1 AS INTEGER)", "lane l ON l.id = passed.lane_id");

/// Looks at the lanes behind `after` that have open deliveries, at most [`LANES_A_SCAN`], and returns those of which something
/// is due. The database observes its time.
///
/// # Errors
/// Those of the database.
pub async fn scan(database: &Database, clock: &Clock, after: Uuid) -> Result<Scan, DatabaseError> {
    let (asked_at, time) = (Instant::now(), database.statement_time(clock));
    let passed: Vec<Passed> = within_deadline(async {
        match database.grouped() {
            Pool::Postgres(pool) => {
                let query = sqlx::query_as(POSTGRES).bind(time).bind(after);
                query.bind(LANES_A_SCAN).bind(AHEAD_MS).fetch_all(pool).await
            }
            Pool::Sqlite(_) => {
                let query = sqlx::query_as(SQLITE).bind(time).bind(after);
                let reader = database.reader().get_sqlite_connection_pool();
                query.bind(LANES_A_SCAN).bind(AHEAD_MS).fetch_all(reader).await
            }
        }
    })
    .await?;
    if let Some(last) = passed.last() {
        database.observe_time(clock, Millis(last.now), asked_at);
    }
    Ok(found(passed))
}

fn found(passed: Vec<Passed>) -> Scan {
    let others = passed.iter().find(|passed| passed.lane_id.is_none()).map_or(0, |others| others.gate);
    let is_due = |bit| others & bit != 0;
    let lanes = || passed.iter().filter_map(|passed| passed.lane_id);
    let is_last = i64::try_from(lanes().count()).is_ok_and(|count| count < LANES_A_SCAN);
    Scan {
        stopped_at: if is_last { None } else { lanes().max() },
        uploads: is_due(UPLOADS),
        broadcasts: is_due(BROADCASTS),
        replays: is_due(REPLAYS),
        lanes: passed.into_iter().filter_map(due_lane).collect(),
    }
}

fn due_lane(Passed { lane_id, channel, user_id, gate, .. }: Passed) -> Option<DueLane> {
    let gate = match gate {
        OPEN => Gate::Open,
        LIMITED => Gate::Limited,
        _ => return None,
    };
    Some(DueLane { id: lane_id?, channel, user_id, gate })
}
