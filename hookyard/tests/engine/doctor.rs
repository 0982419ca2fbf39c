//! The doctor: each kind of invariant violation is found at its bound, reported, and repaired.

use domain::clock::Millis;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Receiver, TestApp, on_both_shapes};
use worker::doctor::{CHECKS, examine};

/// What stands at its bound is well; one millisecond or a statement's time later it is not.
const JUST_WITHIN: i64 = -20_000;
const BEYOND: i64 = 1_000;

async fn with_a_delivery() -> Receiver {
    Receiver::start(0).await.expect("a receiver")
}

async fn change(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect("changed");
}

async fn now(app: &TestApp) -> Millis {
    app.context.database.now(&app.clock).await.expect("a time")
}

/// Returns the checks with findings, and how many rows each found and repaired.
async fn found(app: &TestApp, mend: bool) -> Vec<(&'static str, u64, u64)> {
    let findings = examine(&app.context, mend).await.expect("examined");
    findings.iter().map(|finding| (finding.check.name, finding.rows, finding.mended)).collect()
}

on_both_shapes! {
    async fn a_healthy_database_has_no_findings(app: TestApp) {
        let receiver = with_a_delivery().await;
        app.register(&receiver.url("/")).await;
        app.publish(json!({})).await.expect("accepted");
        assert_eq!(found(&app, true).await, []);
        app.drain().await;
        assert_eq!(found(&app, true).await, []);
    }

    async fn times_ahead_of_what_any_rule_allows_are_found_and_mended(app: TestApp) {
        let receiver = with_a_delivery().await;
        app.register(&receiver.url("/")).await;
        app.publish(json!({})).await.expect("accepted");
        let now = now(&app).await.0;
        for (name, table, column, bound) in [
            ("lease_ahead", "delivery", "lease_until", 75_000),
            ("lane_blocked_ahead", "lane", "blocked_until", 86_460_000),
            ("lane_blocked_ahead", "lane", "breaker_until", 960_000),
            ("lane_blocked_ahead", "lane", "backlog_until", 63_000),
        ] {
            change(&app, &format!("UPDATE {table} SET {column} = {}", now + bound + JUST_WITHIN)).await;
            assert_eq!(found(&app, true).await, [], "{name} within its bound");
            change(&app, &format!("UPDATE {table} SET {column} = {}", now + bound + 60_000 + BEYOND)).await;
            assert_eq!(found(&app, false).await, [(name, 1, 0)], "looking changes nothing");
            assert_eq!(found(&app, true).await, [(name, 1, 1)]);
            assert_eq!(found(&app, true).await, [], "{name} was mended");
            change(&app, &format!("UPDATE {table} SET {column} = 0")).await;
        }
        // After all that it is delivered as if nothing had been.
        app.drain().await;
        assert_eq!(receiver.count(), 1);
    }

    async fn a_thousand_and_one_rows_are_all_mended(app: TestApp) {
        let receiver = with_a_delivery().await;
        app.register(&receiver.url("/")).await;
        let accepts = (0..1_001).map(|n| app.publish(json!({"n": n})));
        for accepted in futures_util::future::join_all(accepts).await {
            accepted.expect("accepted");
        }
        change(&app, &format!("UPDATE delivery SET lease_until = {}", now(&app).await.0 + 3_600_000)).await;
        assert_eq!(found(&app, true).await, [("lease_ahead", 1_001, 1_001)]);
        assert_eq!(found(&app, true).await, []);
    }

    async fn unclaimed_deliveries_are_reported_unless_their_lane_explains_it(app: TestApp) {
        let receiver = with_a_delivery().await;
        app.register(&receiver.url("/")).await;
        app.publish(json!({})).await.expect("accepted");
        app.clock.forward(std::time::Duration::from_secs(290));
        assert_eq!(found(&app, true).await, [], "not yet five minutes");
        app.clock.forward(std::time::Duration::from_secs(20));
        assert_eq!(found(&app, true).await, [("neglected", 1, 0)]);
        for reason in ["state = 'paused'", "rate_limit = 1", "max_in_flight = 1", "drain_before = 1", "breaker_until = 1"] {
            change(&app, &format!("UPDATE lane SET {reason}")).await;
            assert_eq!(found(&app, true).await, [], "{reason}");
            change(&app, "UPDATE lane SET state = 'active', rate_limit = NULL, max_in_flight = NULL, drain_before = 0, breaker_until = 0").await;
        }
        app.drain().await;
        assert_eq!(found(&app, true).await, []);
    }

    async fn every_check_can_be_made_and_every_cure_is_a_statement(app: TestApp) {
        // Names are labels of a metric: stable, and each once.
        let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
        let now = now(&app).await.0;
        change(&app, &format!("INSERT INTO process (id, kind, name, version, queues, slots, in_flight, queue_ok, started_at, seen_at)
            SELECT id, 'worker', 'ahead', '0', '', 1, 0, {}, 0, {} FROM event_type WHERE name = 'upload file'",
            if app.context.database.writer().get_database_backend() == sea_orm::DatabaseBackend::Postgres { "true" } else { "1" },
            now + 3_600_000)).await;
        assert_eq!(found(&app, true).await, [("process_ahead", 1, 1)]);
        assert_eq!(found(&app, true).await, []);
    }
}
