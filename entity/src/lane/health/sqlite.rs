//! Health of lanes on SQLite, where the one connection that writes is the lock. As many lanes as a record has rows at most.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::{KNOWN_WITHIN_MS, LaneHealthRow, LaneOutcome, columns, is_changed, set};

pub(super) async fn lock_changed(
    tx: &mut SqliteConnection,
    outcomes: &[LaneOutcome],
    now: i64,
) -> Result<Vec<LaneHealthRow>> {
    let mut query = QueryBuilder::<Sqlite>::new("WITH asked (id, failed, succeeded_at) AS (");
    query.push_values(outcomes, |mut values, outcome| {
        values.push_bind(outcome.id).push_bind(outcome.failed).push_bind(outcome.newest_success());
    });
    query.push(concat!(") ", columns!())).push_bind(now);
    query.push(concat!(" AS now FROM asked JOIN lane l ON l.id = asked.id WHERE ", is_changed!()));
    query.push_bind(KNOWN_WITHIN_MS).push(") ORDER BY l.id");
    query.build_query_as().fetch_all(tx).await
}

pub(super) async fn write(tx: &mut SqliteConnection, rows: &[LaneHealthRow]) -> Result<()> {
    let mut update = QueryBuilder::<Sqlite>::new(
        "WITH row (id, state, blocked_until, failures, failing_since, succeeded_at, breaker_until, breaker_wait,
            drain_before, off_since, off_reason, tell_owner) AS (",
    );
    update.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.state.as_str())
            .push_bind(row.blocked_until)
            .push_bind(row.failures)
            .push_bind(row.failing_since)
            .push_bind(row.succeeded_at)
            .push_bind(row.breaker_until)
            .push_bind(row.breaker_wait)
            .push_bind(row.drain_before)
            .push_bind(row.off_since)
            .push_bind(row.off_reason.as_deref())
            .push_bind(row.tell_owner);
    });
    update.push(concat!(") UPDATE lane", set!(), " FROM row WHERE lane.id = row.id"));
    update.build().execute(tx).await.map(drop)
}
