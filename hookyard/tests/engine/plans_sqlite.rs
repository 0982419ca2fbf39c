//! On SQLite each statement is planned when it is prepared, by statistics where `ANALYZE` has made some. No plan may read a table
//! as a whole, whatever these say: a statement of one tenant must not cost more with the rows of others.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use platform::database::Pool;
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use testkit::{Shape, TestApp};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{lanes::run, plans::work};

/// Notes the text of each statement that is run.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

#[derive(Default)]
struct Text {
    summary: String,
    whole: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query" && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let sql = if text.whole.is_empty() { text.summary } else { text.whole };
        self.0.lock().expect("whole").insert(sql.trim().to_owned());
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Tables that grow with what tenants do.
const GROWING: &[&str] = &[
    "attempt",
    "delivery",
    "endpoint",
    "endpoint_event_type",
    "event",
    "finished_delivery",
    "idempotency_key",
    "lane",
    "message",
    "push_subscription",
    "sender",
    "upload",
];

/// Thousands of other tenants, each with an endpoint, and what they have had delivered.
const OTHERS: &[&str] = &[
    "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
        INSERT INTO lane (id, channel) SELECT randomblob(16), 'webhook' FROM n",
    "INSERT INTO endpoint (id, user_id, url, sealed_secret, created_at, updated_at)
        SELECT id, 1000 + rowid, 'https://example.org', x'00', 0, 0 FROM
            (SELECT l.id, row_number() OVER () AS rowid FROM lane l WHERE NOT EXISTS (SELECT 1 FROM endpoint e WHERE e.id = l.id))",
    "INSERT INTO endpoint_event_type (event_type_id, endpoint_id, user_id)
        SELECT (SELECT id FROM event_type LIMIT 1), id, user_id FROM endpoint WHERE user_id > 1000",
    "INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, created_at, due_at)
        SELECT randomblob(16), randomblob(16), user_id, id, 'webhook', id, 1, 1 FROM endpoint WHERE user_id > 1000",
    "ANALYZE",
];

/// What reads a growing table from end to end: the name or the alias of a table stands behind SCAN.
fn scans(plan: &[String], sql: &str) -> Vec<String> {
    let aliases = |table: &str| {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let follows = |pair: &[&str]| (pair[0] == table).then(|| pair[1].to_owned());
        words.windows(2).filter_map(follows).chain([table.to_owned()]).collect::<Vec<_>>()
    };
    let growing: BTreeSet<String> = GROWING.iter().flat_map(|table| aliases(table)).collect();
    let is_scan = |line: &&String| {
        let name = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        name.is_some_and(|name| growing.contains(name))
    };
    plan.iter().filter(is_scan).cloned().collect()
}

async fn plan(pool: &SqlitePool, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let lines = sqlx::raw_sql(explain).fetch_all(pool).await;
    lines.unwrap_or_default().iter().map(|line| line.get("detail")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_lead_no_statement_of_the_engine_to_read_a_whole_table() {
    let statements = Statements::default();
    tracing::subscriber::set_global_default(statements.clone()).expect("the only one of this process");
    let app = TestApp::start(Shape::Embedded).await;
    statements.0.lock().expect("whole").clear();
    work(&app).await;
    let seen = statements.0.lock().expect("whole").clone();
    for sql in OTHERS {
        run(&app, sql).await;
    }
    let Pool::Sqlite(pool) = app.context.database.pool() else { unreachable!("the embedded one's") };
    let (mut planned, mut bad) = (0, vec![]);
    for sql in seen.iter().flat_map(|all| all.split(';')) {
        let plan = plan(pool, sql).await;
        planned += usize::from(!plan.is_empty());
        let scans = scans(&plan, sql);
        if !scans.is_empty() {
            bad.push(format!("{scans:?} of {plan:#?} in {sql}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
    assert!(planned >= 15, "few statements were seen: {planned} of {seen:#?}");
}
