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

pub(crate) use domain::id::first_id_at;
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult, Statement, Value};

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
