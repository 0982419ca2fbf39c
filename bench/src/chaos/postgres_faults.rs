//! Faults injected through Postgres, from a session that none of them affects. Each has a counterpart that removes it.

use std::str::FromStr;

use anyhow::Result;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use super::fault::Fault;

const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
const RELOAD: &str = "SELECT pg_reload_conf()";
/// A session sets its own `statement_timeout` when it connects, which no setting of the server, the database or the role
/// overrides. So the clock that most statements ask sets it for the session's statements from then on. As few statements
/// of a light load take 5 ms, the clock also makes one in twenty slow.
const SHORT_STATEMENTS: &str = "PERFORM set_config('statement_timeout', '5ms', false);
    IF random() < 0.05 THEN PERFORM pg_sleep(0.02); END IF;";

/// The clock that due times and leases are compared with, which a test may move and load with a fault.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// How far it was moved, in ms.
    pub(super) moved_ms: i64,
}

/// A session that holds a table alone until it is dropped.
pub(super) struct TableLock {
    _session: PgConnection,
}

/// Makes a fault, or makes it again while it is held.
pub(super) async fn make(url: &str, fault: Fault, clock: Clock) -> Result<()> {
    let mut session = connect(url).await?;
    match fault {
        Fault::TerminateSessions => {
            session.execute(TERMINATE).await?;
        }
        Fault::PostgresReadOnly => {
            session.execute("ALTER SYSTEM SET default_transaction_read_only = on").await?;
            session.execute(RELOAD).await?;
        }
        Fault::StatementTimeout => clock.replace(&mut session, &clock.with_short_statements()).await?,
        Fault::ClockForward | Fault::ClockBack => clock.replace(&mut session, &clock.plain()).await?,
        _ => {}
    }
    Ok(())
}

/// Undoes it.
pub(super) async fn undo(url: &str, fault: Fault, clock: Clock) -> Result<()> {
    let mut session = connect(url).await?;
    match fault {
        Fault::PostgresReadOnly => {
            session.execute("ALTER SYSTEM RESET default_transaction_read_only").await?;
            session.execute(RELOAD).await?;
        }
        Fault::StatementTimeout => {
            clock.replace(&mut session, &clock.plain()).await?;
            // What a session has set is its own: new ones have their usual timeout.
            session.execute(TERMINATE).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Locks a table exclusively as soon as running statements allow it.
pub(super) async fn lock(url: &str, table: &str) -> Result<TableLock> {
    let mut session = connect(url).await?;
    session.execute("BEGIN").await?;
    let lock = AssertSqlSafe(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
    session.execute(sqlx::raw_sql(lock)).await?;
    Ok(TableLock { _session: session })
}

impl Clock {
    fn now(self) -> String {
        format!("(extract(epoch FROM statement_timestamp()) * 1000)::bigint + ({})", self.moved_ms)
    }

    fn plain(self) -> String {
        format!("LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT {} $$", self.now())
    }

    fn with_short_statements(self) -> String {
        format!("LANGUAGE plpgsql STABLE AS $$ BEGIN {SHORT_STATEMENTS} RETURN {}; END $$", self.now())
    }

    async fn replace(self, session: &mut PgConnection, function: &str) -> Result<()> {
        let sql = AssertSqlSafe(format!("CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint {function}"));
        session.execute(sqlx::raw_sql(sql)).await?;
        Ok(())
    }
}

/// What a session asks for when it connects wins over what the server's settings become.
async fn connect(url: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::from_str(url)?.options([
        ("statement_timeout", "0"),
        ("lock_timeout", "30s"),
        ("default_transaction_read_only", "off"),
        ("idle_in_transaction_session_timeout", "0"),
    ]);
    Ok(options.connect().await?)
}
