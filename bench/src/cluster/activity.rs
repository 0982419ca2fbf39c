//! The activity of the database, for the report of a run that gave up.

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};
use testkit::rows::Rows;
use tokio::time::timeout;

use super::Cluster;

/// Longest wait for one answer: the database may be what is stuck.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// What each session does, the same ones counted together.
const SESSIONS: &str = "SELECT string_agg(line, E'\\n') FROM (
    SELECT format('%s × %s%s for up to %s s: %s', count(*), state,
        coalesce(' (waits for ' || wait_event_type || ' ' || wait_event || ')', ''),
        round(max(extract(epoch FROM clock_timestamp() - state_change))::numeric, 1), words) AS line
    FROM pg_stat_activity, left(regexp_replace(query, '\\s+', ' ', 'g'), 90) AS words
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    GROUP BY state, wait_event_type, wait_event, words ORDER BY count(*) DESC, state LIMIT 12) AS lines";
/// Unfinished deliveries, dead rows that wait for a vacuum, and running vacuums.
const TABLE: &str = "SELECT format('delivery: %s rows, %s dead rows; %s vacuums under way',
    (SELECT count(*) FROM delivery),
    (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'delivery'),
    (SELECT count(*) FROM pg_stat_progress_vacuum))";

impl Cluster {
    /// Returns one line each; a query that failed says so.
    pub(crate) async fn activity(&self) -> Vec<String> {
        let store = self.store();
        let Rows::Postgres(url) = &store.rows else { return self.sqlite_activity().await };
        let mut lines = vec![];
        for question in [SESSIONS, TABLE] {
            let answer = answered(ask_postgres(url, question)).await;
            lines.extend(answer.lines().map(str::to_owned));
        }
        lines
    }

    async fn sqlite_activity(&self) -> Vec<String> {
        let bytes = |name| std::fs::metadata(self.data().join(name)).map_or(0, |data| data.len());
        let (file, wal) = (bytes("app.db"), bytes("app.db-wal"));
        let open =
            async { Ok(self.store().rows.try_number("SELECT count(*) FROM delivery").await?.to_string()) };
        vec![format!("database {file} bytes, WAL {wal} bytes; delivery: {} rows", answered(open).await)]
    }
}

async fn answered(answer: impl Future<Output = Result<String>>) -> String {
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => format!("the database answered with an error: {error:#}"),
        Err(_) => format!("the database did not answer within {ANSWER_WITHIN:?}"),
    }
}

async fn ask_postgres(url: &str, question: &'static str) -> Result<String> {
    let mut connection = PgConnection::connect(url).await?;
    let answer: Option<String> = sqlx::query_scalar(question).fetch_one(&mut connection).await?;
    answer.context("no other session")
}
