//! The database's time within a transaction, for what is written or judged in it.

use domain::clock::Millis;
use platform::clock::Clock;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Returns the time by the clock that due times are compared with; the process's own on SQLite.
// Asked on the connection of the transaction: taking a second one from the pool while holding a first can starve it.
pub(crate) async fn db_now(clock: &Clock, db: &impl ConnectionTrait) -> Result<Millis, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(clock.now());
    }
    let offset = clock.offset_ms();
    let question =
        Statement::from_sql_and_values(DbBackend::Postgres, "SELECT now_ms() + $1 AS now", [offset.into()]);
    let row = db.query_one_raw(question).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the time".into()))?;
    row.try_get("", "now").map(Millis)
}
