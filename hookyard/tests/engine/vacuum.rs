//! Dead rows on Postgres: taken away when there are many, in a table that is not too large.

use std::time::Duration;

use platform::database::Pool;
use testkit::{Shape, TestApp};
use worker::maintenance::vacuum_when_due;

use crate::lanes::{deliveries, number, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_rows_are_taken_away_when_there_are_many() {
    let app = TestApp::start(Shape::Cluster).await;
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(&app, lane, 100, Duration::ZERO).await;
    // Tells the server's statistics at once what is dead.
    run(&app, "DELETE FROM delivery").await;
    run(&app, "ANALYZE delivery").await;
    let dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'delivery'::regclass";
    assert_eq!(number(&app, dead).await, 100);
    let pages = number(&app, "SELECT pg_relation_size('delivery') / 8192").await;
    assert!(!vacuum_when_due(pool, 101, pages).await.expect("asked"), "too few are dead");
    assert!(!vacuum_when_due(pool, 100, pages - 1).await.expect("asked"), "the table is too large");
    assert!(vacuum_when_due(pool, 100, pages).await.expect("vacuumed"));
    assert_eq!(number(&app, dead).await, 0);
    assert_eq!(
        number(&app, "SELECT pg_relation_size('delivery') / 8192").await,
        pages,
        "and no page is given back"
    );
}
