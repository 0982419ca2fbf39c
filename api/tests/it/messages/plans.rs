//! How the databases find what is asked for: by an index, never by reading all messages. So the answers cost the same with
//! a million messages; no clock is needed to know.

use entity::{
    message::queries::{Filter, Way, stats},
    sql_builder::SqlBuilder,
};
use platform::database::Pool;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::json;
use sqlx::{AssertSqlSafe, Execute, Row};

use crate::{both::on_both_databases, harness::TestApi};

/// 20,000 messages: every other one is from +7, the others are each from a sender of its own.
const MESSAGES: &str =
    "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 20000)
    INSERT INTO message (message_id, sender, recipient, ts, ts_key, text, folded, event_id, created_at)
    SELECT 'm' || n, CASE WHEN n % 2 = 0 THEN '+7' ELSE '+' || (100000 + n) END, '+1', 'sent then',
           '2025-01-15T10:00:00.' || (100000000 + n), 'some text', NULL, {id}, 0
    FROM series";
const SENDERS: &str =
    "INSERT INTO message_sender (sender, messages) SELECT sender, count(*) FROM message GROUP BY sender";

const TOTALS: &str = "UPDATE message_total SET messages = 20000, senders = 10001 WHERE shard = 3";

/// Enough rows that it matters how they are found, and a database that knows it.
pub async fn fill(api: &TestApi) {
    let database = api.context.database.writer();
    let id = match database.get_database_backend() {
        DatabaseBackend::Postgres => "'00000000-0000-0000-0000-000000000000'::uuid",
        _ => "x'00000000000000000000000000000000'",
    };
    for sql in [&MESSAGES.replace("{id}", id), SENDERS, TOTALS, "ANALYZE"] {
        database.execute_unprepared(sql).await.expect(sql);
    }
}

/// What the database says it would do.
async fn plan(api: &TestApi, pieces: &SqlBuilder) -> String {
    let lines: Vec<String> = match api.context.database.pool() {
        Pool::Postgres(pool) => {
            let mut query = pieces.postgres(0);
            let sql = AssertSqlSafe(format!("EXPLAIN {}", query.sql().as_str()));
            let values = query.build().take_arguments().expect("values").expect("values");
            let rows = sqlx::query_with(sql, values).fetch_all(pool).await.expect("a plan");
            rows.iter().map(|row| row.get(0)).collect()
        }
        Pool::Sqlite(pool) => {
            let mut query = pieces.sqlite(0);
            let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql().as_str()));
            let values = query.build().take_arguments().expect("values").expect("values");
            let rows = sqlx::query_with(sql, values).fetch_all(pool).await.expect("a plan");
            rows.iter().map(|row| row.get("detail")).collect()
        }
    };
    lines.join("\n")
}

/// No table of messages or senders is read as a whole, and no message is sorted.
#[track_caller]
fn is_by_index(plan: &str, indexes: &[&str]) {
    for table in ["message", "message_sender"] {
        assert!(!plan.contains(&format!("Seq Scan on {table} ")), "{plan}");
        let scans = plan.lines().filter(|line| line.trim() == format!("SCAN {table}"));
        assert_eq!(scans.count(), 0, "{plan}");
    }
    for index in indexes {
        assert!(plan.contains(index), "{index} is not in\n{plan}");
    }
}

fn from() -> Filter {
    Filter { from: Some("+7".into()), ..Filter::default() }
}

fn since(filter: Filter) -> Filter {
    Filter { since_key: Some("2025-01-15T10:00:00.100010000".into()), ..filter }
}

on_both_databases! {
    async fn statistics_and_plain_pages_read_no_table_as_a_whole(api: TestApi) {
        fill(&api).await;
        is_by_index(&plan(&api, &stats()).await, &["message_in_order", "message_sender_busiest"]);
        let all = plan(&api, &Filter::default().count()).await;
        assert!(all.contains("message_total") && !all.contains("message_in_order"), "{all}");
        // The key of message_sender: on SQLite the table itself.
        let of_one = plan(&api, &from().count()).await;
        assert!(of_one.contains("message_sender_pkey") || of_one.contains("SEARCH message_sender USING PRIMARY KEY"), "{of_one}");
        for (filter, index) in [
            (Filter::default(), "message_in_order"),
            (since(Filter::default()), "message_in_order"),
            (from(), "message_by_sender"),
            (since(from()), "message_by_sender"),
        ] {
            let page = plan(&api, &filter.page(Way::Walk, 100, 0)).await;
            is_by_index(&page, &[index]);
            assert!(!page.contains("Sort") && !page.contains("TEMP B-TREE"), "{filter:?}: {page}");
            assert!(!page.contains("message_total") && !page.contains("message_sender_"), "{page}");
        }
        let deep = plan(&api, &Filter::default().page(Way::Keys, 10, 15_000)).await;
        is_by_index(&deep, &["message_in_order"]);
        let by_id = ["message_pkey", "SEARCH m USING INDEX sqlite_autoindex_message_1"];
        assert!(by_id.iter().any(|index| deep.contains(index)), "{deep}");
        let rare = Filter { contains: Some("x".into()), ..Filter::default() };
        let rare = plan(&api, &rare.page(Way::Sift, 10, 0)).await;
        assert!(!rare.contains("message_in_order") && by_id.iter().any(|index| rare.contains(index)), "{rare}");
    }

    async fn every_query_plan_returns_the_same_page(api: TestApi) {
        fill(&api).await;
        api.taken_with(json!({"message_id": "rare", "from": "+7", "text": "A Needle", "ts": "2025-01-15T10:00:00.100005000Z"})).await;
        let ids = |from: i32| (from..from + 3).map(|n| format!("m{n}")).collect::<Vec<_>>();
        for (query, from, total) in [
            ("offset=4000", 4_001, 20_001),
            ("offset=10001", 10_001, 20_001),
            ("q=TEXT", 1, 20_000),
            ("q=TEXT&offset=15000", 15_001, 20_000),
            ("since=2025-01-15T10:00:00.100005001Z&offset=1", 5_002, 15_000),
            ("since=2025-01-15T10:00:00.100005001Z&offset=10001", 15_002, 15_000),
        ] {
            assert_eq!(api.ids(&format!("limit=3&{query}")).await, (ids(from), total), "{query}");
        }
        assert_eq!(api.ids("q=needle").await, (vec!["rare".to_owned()], 1));
        assert_eq!(api.ids("q=NEEDLE&from=%2B7&since=2025-01-15T10:00:00.100005Z").await.1, 1);
        assert_eq!(api.ids("q=text&from=%2B7&offset=9999").await, (vec!["m20000".to_owned()], 10_000));
        assert_eq!(api.ids("q=text&from=%2B7&limit=2").await, (vec!["m2".to_owned(), "m4".to_owned()], 10_000));
    }
}
