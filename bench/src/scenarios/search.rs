//! `/messages` and `/stats` with a million messages, made by SQL: what each costs, and that statistics do not grow with them.

use std::time::Instant;

use anyhow::{Result, ensure};
use testkit::rows::Rows;

use super::Plan;
use crate::{
    cluster::{Cluster, ClusterOptions, Shape, Store},
    measure::Histogram,
    report::Report,
};

const FEW: u64 = 1_000;
const SENDERS: u64 = 10_000;
/// Rows of one statement.
const STEP: u64 = 100_000;
/// Requests of one kind.
const ASKED: u32 = 20;
/// Statistics may cost so many times what they cost with a thousand messages, and so many ms more.
const MOST_TIMES: f64 = 2.0;
const SLACK_MS: f64 = 5.0;

/// What is asked: its name in the report, and the path.
const QUESTIONS: [(&str, &str); 6] = [
    ("first_page", "/messages?limit=50"),
    ("of_a_sender", "/messages?from=%2B15550004242&limit=50"),
    ("since_the_end", "/messages?since=2025-01-12T00:00:00Z&limit=50"),
    ("far_down", "/messages?limit=50&offset=900000"),
    ("frequent_text", "/messages?q=NUMBER&limit=50"),
    ("rare_text", "/messages?q=number%20777777%20of&limit=50"),
];

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let many = if plan.full { 5_000_000 } else { 1_000_000 };
    let mut cluster = Cluster::start(shape, &ClusterOptions::default()).await?;
    fill(&mut cluster, 0, FEW).await?;
    let few = ask(&cluster, "/stats").await?;
    let begun = Instant::now();
    fill(&mut cluster, FEW, many).await?;
    let made = begun.elapsed();
    let stats = ask(&cluster, "/stats").await?;

    let mut report = Report::new("search", shape);
    report.figure("messages", many as f64).figure("messages_made_in_s", made.as_secs_f64());
    report.figure("stats_p50_ms_of_few", few.quantile_ms(0.5));
    add_to_report(&mut report, "stats", &stats);
    for (name, path) in QUESTIONS {
        add_to_report(&mut report, name, &ask(&cluster, path).await?);
    }
    let (is, most) = (stats.quantile_ms(0.5), few.quantile_ms(0.5) * MOST_TIMES + SLACK_MS);
    report.goal(format!("statistics ≤ twice those of {FEW} + 5 ms = {most:.1} (is {is:.1})"), is <= most);
    Ok(report)
}

fn add_to_report(report: &mut Report, name: &str, times: &Histogram) {
    report.figure(format!("{name}_p50_ms"), times.quantile_ms(0.5));
    report.figure(format!("{name}_p99_ms"), times.quantile_ms(0.99));
}

async fn ask(cluster: &Cluster, path: &str) -> Result<Histogram> {
    let (url, http) =
        (format!("http://{}{path}", cluster.address()), reqwest::Client::builder().no_proxy().build()?);
    let mut times = Histogram::default();
    for _ in 0..ASKED {
        let asked = Instant::now();
        let answer = http.get(&url).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {body}");
        times.record(asked.elapsed());
    }
    Ok(times)
}

/// Adds the messages of these numbers. The one who writes a SQLite file is alone with it.
async fn fill(cluster: &mut Cluster, from: u64, to: u64) -> Result<()> {
    cluster.stop_programs().await?;
    let store = cluster.store();
    for first in (from..to).step_by(STEP as usize) {
        store.rows.change(&messages(&store, first, (first + STEP).min(to) - 1)).await;
    }
    for sql in COUNTS {
        store.rows.change(sql).await;
    }
    cluster.start_programs().await.map(drop)
}

const COUNTS: [&str; 3] = [
    "INSERT INTO message_sender (sender, messages) SELECT sender, count(*) FROM message WHERE true GROUP BY sender
     ON CONFLICT (sender) DO UPDATE SET messages = excluded.messages",
    "UPDATE message_total SET messages = (SELECT count(*) FROM message),
        senders = (SELECT count(*) FROM message_sender) WHERE shard = 0",
    "ANALYZE",
];

fn messages(store: &Store, first: u64, last: u64) -> String {
    const COLUMNS: &str =
        "INSERT INTO message (message_id, sender, recipient, ts, ts_key, text, folded, event_id, created_at)";
    match store.rows {
        Rows::Postgres(_) => format!(
            "{COLUMNS} SELECT 'm' || n, '+1555' || lpad((n % {SENDERS})::text, 7, '0'), '+14155550100',
                to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SS') || '.000000000',
                'Message number ' || n || ' of many', 'message number ' || n || ' of many', gen_random_uuid(), 0
            FROM generate_series({first}::bigint, {last}::bigint) AS n,
                LATERAL (SELECT timestamp '2025-01-01' + n * interval '1 second' AS at) AS t"
        ),
        Rows::Sqlite(_) => format!(
            "WITH RECURSIVE i (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM i WHERE n < {last})
            {COLUMNS} SELECT 'm' || n, printf('+1555%07d', n % {SENDERS}), '+14155550100',
                strftime('%Y-%m-%dT%H:%M:%SZ', 1735689600 + n, 'unixepoch'),
                strftime('%Y-%m-%dT%H:%M:%S', 1735689600 + n, 'unixepoch') || '.000000000',
                'Message number ' || n || ' of many', 'message number ' || n || ' of many', randomblob(16), 0
            FROM i"
        ),
    }
}
