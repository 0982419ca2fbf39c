//! The statements that group the work of many are planned once, whatever the tables hold at that moment. So no plan may read
//! a table as a whole, neither by itself nor along an index: it is empty today, and tomorrow it is not.

use std::{collections::HashMap, time::Duration};

use domain::id::LaneId;
use platform::database::Pool;
use serde_json::json;
use sqlx::{AssertSqlSafe, Postgres, Row, pool::PoolConnection};
use testkit::{Answer, Receiver, Shape, TestApp, ingest::message};
use worker::{
    claim::{Gate, Wanted, claim},
    endpoints::EndpointCache,
    lanes::Holder,
};

use crate::{
    lanes::{deliveries, run, set_lane},
    messages, publishing,
};

/// Accepts of each kind, a send that fails and others that don't, scans, and claims of open and limited lanes.
pub async fn work(app: &TestApp) {
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer(vec![Answer::Status(500)]);
    app.register(&receiver.url("/")).await;
    for n in 0..3 {
        app.publish(json!({"n": n})).await.expect("accepted");
        app.drain_once().await;
    }
    let publication = || publishing::publication("key", "{}");
    app.event_type(&publication().event_type).await;
    for expected in ["Stored", "Repeated"] {
        let published = app.accept.publish(publication()).await.expect("accepted");
        assert!(format!("{published:?}").starts_with(expected), "{published:?}");
    }
    assert_eq!(messages::send(app, &message("m")).await, 200);
    assert_eq!(receiver.count(), 3);
    let (open, limited) =
        (app.register("http://127.0.0.1:9/o").await, app.register("http://127.0.0.1:9/l").await);
    set_lane(app, limited, "rate_limit = 5").await;
    deliveries(app, open, 64, Duration::ZERO).await;
    deliveries(app, limited, 2, Duration::ZERO).await;
    let claimed = app.claim_due(65).await;
    assert!(claimed.len() >= 65, "{}", claimed.len());
    // A lane that gives nothing loses its backlog.
    let wanted = [Wanted { holder: Holder::of_lane(LaneId(open.0)), rows: 1, gate: Gate::Open }];
    claim(&app.context, &EndpointCache::new(&app.context), &wanted).await.expect("a claim");
}

/// The first column of each index.
type Keys = HashMap<String, String>;

async fn keys(app: &TestApp) -> Keys {
    const SQL: &str = "SELECT c.relname::text, pg_get_indexdef(c.oid, 1, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid";
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    sqlx::query_as(SQL).fetch_all(pool).await.expect("indexes").into_iter().collect()
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

/// Lines of a plan that read a stored table without a condition on the first column of an index: one on a later column reads
/// all of it.
fn reads_without_a_key<'a>(plan: &'a str, keys: &Keys) -> Vec<&'a str> {
    let lines: Vec<&str> = plan.lines().collect();
    let no_key = |place: &usize| {
        let next = lines.get(place + 1).and_then(|next| next.split_once("Index Cond: "));
        let key = index_of(lines[*place]).and_then(|index| keys.get(index));
        !key.zip(next).is_some_and(|(key, (_, condition))| words(condition).any(|word| word == key))
    };
    let reads =
        |line: &str| ["Seq Scan", "Index Scan", "Index Only Scan"].iter().any(|scan| line.contains(scan));
    (0..lines.len()).filter(|place| reads(lines[*place])).filter(no_key).map(|place| lines[place]).collect()
}

/// The index that a line of a plan reads.
fn index_of(line: &str) -> Option<&str> {
    let (_, name) = line.split_once(" using ").or_else(|| line.split_once("Bitmap Index Scan on "))?;
    name.split(' ').next()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

/// Whether a plan compares each row of one side with each of the other.
fn loops_over_both_sides(plan: &str) -> bool {
    let lines: Vec<&str> = plan.lines().collect();
    lines.windows(2).any(|pair| pair[0].contains("Nested Loop") && pair[1].contains("Join Filter: "))
}

/// The plans of all that the engine's connections have prepared.
async fn engine_plans(app: &TestApp) -> Vec<String> {
    let Pool::Postgres(pool) = app.context.database.grouped() else { unreachable!("the cluster's") };
    let (mut all, mut held) = (vec![], vec![]);
    // Each of them, also one that is just being given back.
    for _ in 0..pool.options().get_max_connections() {
        let mut connection = pool.acquire().await.expect("a connection");
        all.extend(plans(&mut connection).await);
        held.push(connection);
    }
    all
}

/// Each finds its rows by their keys, and joins nothing in a loop over both sides.
async fn all_are_good(app: &TestApp, tables: &str) {
    let (all, keys) = (engine_plans(app).await, keys(app).await);
    for plan in &all {
        assert_eq!(reads_without_a_key(plan, &keys), Vec::<&str>::new(), "{tables}: {plan}");
        assert!(!loops_over_both_sides(plan), "{tables}: {plan}");
    }
    for part in [
        "Update on delivery",
        "Insert on attempt",
        "Insert on finished_delivery",
        "Insert on event",
        "Delete on delivery",
        "Insert on idempotency_key",
        "Index Scan using idempotency_key_pkey",
        "Update on lane",
        "LockRows",
        "WorkTable Scan on passed",
    ] {
        assert!(all.iter().any(|plan| plan.contains(part)), "nothing seen: {part} in {all:#?}");
    }
    assert!(all.iter().any(|plan| plan.contains("ANY ($1)")), "planned for any value: {all:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_planned_for_tables_that_are_nearly_empty_finds_its_rows_by_key() {
    let app = TestApp::start(Shape::Cluster).await;
    run(&app, "ANALYZE").await;
    work(&app).await;
    all_are_good(&app, "empty and small").await;
    // As a vacuum leaves it when all has arrived: each index has a page, and they all cost the same.
    run(&app, "DELETE FROM delivery").await;
    run(&app, "VACUUM").await;
    all_are_good(&app, "empty, and vacuumed").await;
    // As a busy system leaves its table when it has nothing to do: large, and hardly anything in it.
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(&app, lane, 20_000, Duration::from_secs(9)).await;
    run(&app, "DELETE FROM delivery WHERE id <> (SELECT id FROM delivery ORDER BY id DESC LIMIT 1)").await;
    run(&app, "ANALYZE").await;
    all_are_good(&app, "empty and large").await;
    deliveries(&app, lane, 20_000, Duration::from_secs(9)).await;
    run(&app, "VACUUM delivery").await;
    all_are_good(&app, "full, and vacuumed").await;
    run(&app, "ANALYZE").await;
    all_are_good(&app, "full, and analysed").await;
}
