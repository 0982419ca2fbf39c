//! Dead rows on Postgres: vacuumed when there are many, in a table that is not too large.

use std::time::Duration;

use entity::delivery::vacuum::vacuum_when_due;
use platform::database::Pool;
use sqlx::PgPool;
use testkit::{Shape, TestApp};

use crate::lanes::{deliveries, number};

/// Deletes all deliveries, and returns when the server's statistics count them as dead.
async fn delete_and_report(pool: &PgPool) {
    // One connection: a backend keeps its counts back for a second, and its ANALYZE subtracts what it has not reported.
    let mut connection = pool.acquire().await.expect("a connection");
    for sql in [
        "ALTER TABLE delivery SET (autovacuum_enabled = false)",
        "DELETE FROM delivery",
        "SELECT pg_stat_force_next_flush()",
        "ANALYZE delivery",
    ] {
        sqlx::raw_sql(sql).execute(&mut *connection).await.expect(sql);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_dead_rows_are_vacuumed() {
    let app = TestApp::start(Shape::Cluster).await;
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(&app, lane, 100, Duration::ZERO).await;
    delete_and_report(pool).await;
    let dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'delivery'::regclass";
    assert_eq!(number(&app, dead).await, 100);
    let pages = number(&app, "SELECT pg_relation_size('delivery') / 8192").await;
    assert!(!vacuum_when_due(&app.context.database, 101, pages).await.expect("asked"), "too few are dead");
    assert!(
        !vacuum_when_due(&app.context.database, 100, pages - 1).await.expect("asked"),
        "the table is too large"
    );
    assert!(vacuum_when_due(&app.context.database, 100, pages).await.expect("vacuumed"));
    assert_eq!(number(&app, dead).await, 0);
    assert_eq!(
        number(&app, "SELECT pg_relation_size('delivery') / 8192").await,
        pages,
        "and no page is given back"
    );
}
