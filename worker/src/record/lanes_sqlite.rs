//! Lanes of a batch on SQLite, where the one connection that writes is the lock.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::lanes::{self, KNOWN_WITHIN_MS, LaneChanges, LaneRow, Sends};

/// Folds the sends into their lanes; returns what changed. As many lanes as a record has rows at most.
pub(super) async fn fold(tx: &mut SqliteConnection, sends: &Sends, now: i64) -> Result<LaneChanges> {
    if sends.is_empty() {
        return Ok(LaneChanges::default());
    }
    let (changed, changes) = lanes::fold(read(tx, sends, now).await?, sends);
    if !changed.is_empty() {
        write(tx, &changed).await?;
    }
    Ok(changes)
}

async fn read(tx: &mut SqliteConnection, sends: &Sends, now: i64) -> Result<Vec<LaneRow>> {
    let mut query = QueryBuilder::<Sqlite>::new("WITH asked (id, failed, succeeded_at) AS (");
    query.push_values(lanes::asked(sends), |mut values, asked| {
        values.push_bind(asked.id).push_bind(asked.failed).push_bind(asked.succeeded_at);
    });
    query.push(
        ") SELECT l.id, l.channel, l.state, l.blocked_until, l.failures, l.failing_since, l.succeeded_at, l.breaker_until,
            l.breaker_wait, l.drain_before, l.off_since, l.off_reason, l.resumed_at, l.tell_owner, ",
    );
    query.push_bind(now).push(
        " AS now FROM asked JOIN lane l ON l.id = asked.id
        WHERE asked.failed OR l.failures > 0 OR l.breaker_until > 0 OR l.succeeded_at < asked.succeeded_at - ",
    );
    query.push_bind(KNOWN_WITHIN_MS).push(" ORDER BY l.id");
    query.build_query_as().fetch_all(tx).await
}

async fn write(tx: &mut SqliteConnection, rows: &[LaneRow]) -> Result<()> {
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
    update.push(
        ") UPDATE lane
        SET state = row.state, blocked_until = row.blocked_until, failures = row.failures,
            failing_since = row.failing_since, succeeded_at = row.succeeded_at, breaker_until = row.breaker_until,
            breaker_wait = row.breaker_wait, drain_before = row.drain_before, off_since = row.off_since,
            off_reason = row.off_reason, tell_owner = row.tell_owner
        FROM row WHERE lane.id = row.id",
    );
    update.build().execute(tx).await.map(drop)
}
