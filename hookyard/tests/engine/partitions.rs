//! Partitions of the days to come, on Postgres: made beside a backup without holding deliveries up.

use std::time::Duration;

use domain::delivery::DeliveryState::Succeeded;
use platform::database::{Database, Pool};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use testkit::{Answer, Receiver, Shape, TestApp};
use tokio::time::timeout;
use worker::maintenance::{Partitions, make_partitions};

use crate::lanes::number;

/// Far less than the statement timeout that a lock would be waited for.
const SOON: Duration = Duration::from_secs(10);
const ALL: &str = "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace";

fn pool(app: &TestApp) -> PgPool {
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    pool.clone()
}

/// What `pg_dump` holds from its beginning to its end: a lock to read, on every table.
async fn dump(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut dump = pool.begin().await.expect("begun");
    let tables: Vec<String> = sqlx::query_scalar(ALL).fetch_all(&mut *dump).await.expect("tables");
    let lock = format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", tables.join(", ONLY "));
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *dump).await.expect("locked");
    dump
}

async fn partitions_of(app: &TestApp, table: &str) -> i64 {
    number(app, &format!("SELECT count(*) FROM pg_inherits WHERE inhparent = '{table}'::regclass")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_go_on_while_a_backup_runs_over_the_hour_at_which_partitions_are_made() {
    let app = TestApp::start(Shape::Cluster).await;
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer_always(Answer::Status(200));
    app.register(&receiver.url("/")).await;
    let (pool, before) = (pool(&app), partitions_of(&app, "event").await);
    let dump = dump(&pool).await;

    let making = tokio::spawn({
        let database: Database = app.context.database.clone();
        async move { make_partitions(&database, 8).await }
    });
    while !making.is_finished() {
        let (event, _) = timeout(SOON, app.publish(json!({}))).await.expect("in time").expect("accepted");
        timeout(SOON, app.drain()).await.expect("recorded in time");
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
    }
    let looked = making.await.expect("an end").expect("no error");
    assert_eq!(looked, Partitions { made: 0, missing: 3, elsewhere: 0 }, "a lock was not to be had");
    dump.rollback().await.expect("the backup ends");

    assert_eq!(
        make_partitions(&app.context.database, 8).await.expect("made"),
        Partitions { made: 3, ..Partitions::default() }
    );
    assert_eq!(partitions_of(&app, "event").await, before + 1);
    let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = (SELECT max(inhrelid) FROM pg_inherits
        WHERE inhparent = 'attempt'::regclass)";
    let of_parent = "SELECT count(*) FROM pg_index WHERE indrelid = 'attempt'::regclass";
    assert_eq!(number(&app, indexes).await, number(&app, of_parent).await, "with the same indexes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_missing_no_lock_is_taken() {
    let app = TestApp::start(Shape::Cluster).await;
    let pool = pool(&app);
    make_partitions(&app.context.database, 7).await.expect("made");
    let mut other = pool.begin().await.expect("begun");
    let locks = "LOCK TABLE event, attempt, finished_delivery IN ACCESS EXCLUSIVE MODE";
    sqlx::query(locks).execute(&mut *other).await.expect("locked");
    let looked =
        timeout(SOON, make_partitions(&app.context.database, 7)).await.expect("in time").expect("a look");
    assert_eq!(looked, Partitions::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_make_partitions_at_once_make_each_once() {
    let app = TestApp::start(Shape::Cluster).await;
    let before = partitions_of(&app, "event").await;
    let at_once =
        futures_util::future::join_all((0..4).map(|_| make_partitions(&app.context.database, 12))).await;
    assert!(at_once.iter().all(Result::is_ok), "{at_once:?}");
    make_partitions(&app.context.database, 12).await.expect("the rest");
    assert_eq!(partitions_of(&app, "event").await, before + 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_whose_rows_lie_in_the_default_partition_keeps_no_other_from_being_made() {
    let app = TestApp::start(Shape::Cluster).await;
    let pool = pool(&app);
    let row = "INSERT INTO event (id, user_id, event_type, body, created_at)
        VALUES (first_uuid_of_day((now() AT TIME ZONE 'UTC')::date + 8), 1, 'x', '', 0)";
    sqlx::query(row).execute(&pool).await.expect("inserted");
    let looked = make_partitions(&app.context.database, 9).await.expect("made");
    assert_eq!(looked, Partitions { made: 5, ..Partitions::default() }, "all but one of events");
}
