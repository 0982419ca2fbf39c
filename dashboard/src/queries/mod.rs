//! What the pages read. Nothing here writes, and every statement is bounded: a dashboard must never be what slows
//! deliveries down. The statements are written once for SQLite and Postgres, which both know `$1`.

pub(crate) mod attempts;
pub(crate) mod backlog;
pub(crate) mod bounded;
pub(crate) mod deliveries;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod processes;
pub(crate) mod rates;
pub(crate) mod totals;
pub(crate) mod uploads;

use domain::clock::Millis;
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

/// The smallest UUIDv7 of a moment: its first 48 bits are milliseconds (RFC 9562 §5.7).
pub(crate) fn first_id_at(at: Millis) -> Uuid {
    let milliseconds = u128::try_from(at.0).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

/// The rows of a statement of ours.
async fn rows<Row: FromQueryResult>(
    db: &DatabaseConnection,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Row>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Row::find_by_statement(statement).all(db).await
}

/// The one row of an aggregate.
async fn row<Row: FromQueryResult>(
    db: &DatabaseConnection,
    sql: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Result<Row, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let found = Row::find_by_statement(statement).one(db).await?;
    found.ok_or_else(|| DbErr::RecordNotFound("an aggregate without a row".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_moment_is_below_every_id_made_then() {
        let made = Uuid::now_v7();
        let (seconds, nanos) = made.get_timestamp().expect("a v7 id has a time").to_unix();
        let at = i64::try_from(seconds).expect("a date of this era") * 1_000 + i64::from(nanos / 1_000_000);
        assert!(first_id_at(Millis(at)) < made);
        assert!(first_id_at(Millis(at + 1)) > made);
        assert_eq!(first_id_at(Millis(-1)), Uuid::nil());
    }
}
