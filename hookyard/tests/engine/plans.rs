//! The statements that group the work of many are planned once, whatever the tables hold at that moment. So no plan may read
//! a table as a whole: it is empty today, and tomorrow it is not.

use platform::database::Pool;
use serde_json::json;
use sqlx::{AssertSqlSafe, Postgres, Row, pool::PoolConnection};
use testkit::{Answer, Receiver, Shape, TestApp, ingest::message};

use crate::{lanes::run, messages, publishing};

/// Accepts of each kind, a send that fails and others that don't.
async fn work(app: &TestApp) {
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer(vec![Answer::Status(500)]);
    app.register(&receiver.url("/")).await;
    for n in 0..3 {
        app.publish(json!({"n": n})).await.expect("accepted");
        app.drain_once().await;
    }
    app.accept.publish(publishing::publication("key", "{}")).await.expect("accepted");
    assert_eq!(messages::send(app, &message("m")).await, 200);
    assert_eq!(receiver.count(), 3);
}

/// What each statement that a connection has prepared would do.
async fn plans(connection: &mut PoolConnection<Postgres>) -> Vec<String> {
    const PREPARED: &str = "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements";
    let prepared: Vec<(String, i32)> =
        sqlx::query_as(PREPARED).fetch_all(&mut **connection).await.expect("names");
    let mut plans = vec![];
    for (name, parameters) in prepared.into_iter().filter(|(_, parameters)| *parameters > 0) {
        let values = vec!["NULL"; usize::try_from(parameters).expect("a few")].join(", ");
        let sql = AssertSqlSafe(format!("EXPLAIN EXECUTE {name} ({values})"));
        let lines = sqlx::raw_sql(sql).fetch_all(&mut **connection).await.expect("a plan");
        plans.push(lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect());
    }
    plans
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_planned_for_empty_tables_finds_its_rows_by_index() {
    let app = TestApp::start(Shape::Cluster).await;
    run(&app, "ANALYZE").await;
    work(&app).await;
    let Pool::Postgres(pool) = app.context.database.grouped() else { unreachable!("the cluster's") };
    let (mut all, mut held) = (vec![], vec![]);
    while let Some(mut connection) = pool.try_acquire() {
        all.extend(plans(&mut connection).await);
        held.push(connection);
    }
    for plan in &all {
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
    for part in ["Update on delivery", "Insert on attempt", "Insert on event", "Delete on delivery"] {
        assert!(all.iter().any(|plan| plan.contains(part)), "nothing seen: {part} in {all:#?}");
    }
    assert!(all.iter().any(|plan| plan.contains("ANY ($1)")), "planned for any value: {all:#?}");
}
