//! Setting lanes up: their limits, their breaker, and thousands of deliveries that are due, without a lease.

use std::time::Duration;

use domain::id::EndpointId;
use platform::database::Pool;
use sqlx::AssertSqlSafe;
use testkit::TestApp;
use uuid::Uuid;

/// Changes the lane by this `SET` clause, in which `{now}` is the time of the database's clock. Accepts do not
/// hand over its deliveries from now on.
pub async fn set_lane(app: &TestApp, lane: EndpointId, change: &str) {
    let sql = format!(
        "UPDATE lane SET backlog_until = {{now}} + 3600000, {change} WHERE id = {}",
        literal(app, lane.0)
    );
    run(app, &sql).await;
}

/// A statement in which `{now}` is the time of the database's clock.
pub async fn run(app: &TestApp, sql: &str) {
    let sql = AssertSqlSafe(sql.replace("{now}", &now(app)));
    match app.context.database.pool() {
        Pool::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        Pool::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
    }
    .expect("carried out");
}

/// The number that a question is answered with, in which `{now}` is the time of the database's clock.
pub async fn number(app: &TestApp, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.replace("{now}", &now(app)));
    match app.context.database.pool() {
        Pool::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
        Pool::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await,
    }
    .expect("a number")
}

/// So many deliveries of a lane, due `ago`, without a lease; all of one event.
pub async fn deliveries(app: &TestApp, lane: EndpointId, count: usize, ago: Duration) {
    let (head, rows) = match app.context.database.pool() {
        Pool::Postgres(_) => ("", format!("SELECT gen_random_uuid() AS id FROM generate_series(1, {count})")),
        Pool::Sqlite(_) => (
            "WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < {count}) ",
            "SELECT randomblob(16) AS id FROM row".to_owned(),
        ),
    };
    let (lane, event) = (literal(app, lane.0), literal(app, Uuid::now_v7()));
    let (body, due) = (body(app), ago.as_millis());
    let sql = format!(
        "INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, created_at)
         {head}SELECT id, {event}, 1, {lane}, 'webhook', {lane}, {body}, {{now}} - {due}, {{now}} FROM ({rows}) AS rows"
    );
    run(app, &sql.replace("{count}", &count.to_string())).await;
}

/// Deliveries of a lane with a live lease.
pub async fn in_flight(app: &TestApp, lane: EndpointId) -> i64 {
    let lane = literal(app, lane.0);
    let sql = format!("SELECT count(*) FROM delivery WHERE lane_id = {lane} AND lease_until > {{now}}");
    number(app, &sql).await
}

pub fn literal(app: &TestApp, id: Uuid) -> String {
    match app.context.database.pool() {
        Pool::Postgres(_) => format!("'{id}'::uuid"),
        Pool::Sqlite(_) => format!("x'{}'", id.simple()),
    }
}

fn body(app: &TestApp) -> &'static str {
    match app.context.database.pool() {
        Pool::Postgres(_) => "'{}'::bytea",
        Pool::Sqlite(_) => "x'7b7d'",
    }
}

fn now(app: &TestApp) -> String {
    let time = app.context.database.statement_time(&app.clock);
    match app.context.database.pool() {
        Pool::Postgres(_) => format!("(now_ms() + {time})"),
        Pool::Sqlite(_) => time.to_string(),
    }
}
