//! `GET /messages`: order, pages, and who is listed.

use serde_json::{Value, json};

use super::nothing;
use crate::{both::on_both_databases, harness::TestApi};

/// Four messages of two senders; three of them at one instant, written in three ways.
async fn four(api: &TestApi) {
    for (id, from, ts) in [
        ("b", "+919876543210", "2025-01-15T10:00:00Z"),
        ("late", "+14155550100", "2025-01-15T10:00:00.001Z"),
        ("c", "+14155550100", "2025-01-15T10:00:00.000Z"),
        ("B", "+919876543210", "2025-01-15T10:00:00.0Z"),
    ] {
        api.taken_with(json!({"message_id": id, "from": from, "ts": ts})).await;
    }
}

fn of(ids: &[&str], total: i64) -> (Vec<String>, i64) {
    (ids.iter().map(|id| (*id).to_owned()).collect(), total)
}

on_both_databases! {
    async fn messages_are_ordered_by_instant_then_id(api: TestApi) {
        four(&api).await;
        assert_eq!(api.ids("").await, of(&["B", "b", "c", "late"], 4));
        for (id, ts) in [("new", "9999-12-31T23:59:59Z"), ("old", "0001-01-01T00:00:00Z"), ("Z", "2025-01-15T09:59:59.999999999Z")] {
            api.taken_with(json!({"message_id": id, "ts": ts})).await;
        }
        assert_eq!(api.ids("").await, of(&["old", "Z", "B", "b", "c", "late", "new"], 7));
    }

    async fn pages_are_cut_by_limit_and_offset_and_the_total_ignores_both(api: TestApi) {
        four(&api).await;
        for (query, ids) in [
            ("limit=1", &["B"][..]),
            ("limit=2&offset=1", &["b", "c"]),
            ("limit=100&offset=3", &["late"]),
            ("offset=4", &[]),
            ("offset=5", &[]),
            ("offset=9223372036854775807", &[]),
            ("limit=100&offset=9223372036854775807", &[]),
        ] {
            assert_eq!(api.ids(query).await, of(ids, 4), "{query}");
        }
        let reply = api.get("/messages?limit=7&offset=9223372036854775807").await.json();
        assert_eq!(reply, json!({"data": [], "total": 4, "limit": 7, "offset": 9_223_372_036_854_775_807_i64}));
        let filtered = api.ids("q=hello&offset=9223372036854775807").await;
        assert_eq!(filtered, of(&[], 4));
    }

    async fn the_default_limit_is_fifty(api: TestApi) {
        for n in 0..101 {
            api.taken_with(json!({"message_id": format!("{n:03}")})).await;
        }
        for (query, shown) in [("", 50), ("limit=100", 100), ("limit=100&offset=100", 1)] {
            let (ids, total) = api.ids(query).await;
            assert_eq!((ids.len(), total), (shown, 101), "{query}");
        }
    }

    async fn a_sender_is_found_by_an_encoded_or_a_bare_plus(api: TestApi) {
        four(&api).await;
        for query in ["from=%2B919876543210", "from=+919876543210", "from=%2b919876543210&limit=50"] {
            assert_eq!(api.ids(query).await, of(&["B", "b"], 2), "{query}");
        }
        assert_eq!(api.ids("from=%2B14155550100").await, of(&["c", "late"], 2));
        assert_eq!(api.ids("from=%2B919876543210&limit=1&offset=1").await, of(&["b"], 2));
        for unknown in ["%2B91987654321", "%2B9198765432100", "919876543210", "%25", "%2B9", "unknown"] {
            assert_eq!(api.ids(&format!("from={unknown}")).await, of(&[], 0), "exactly: {unknown}");
        }
        assert_eq!(api.ids("from=").await.1, 4, "left empty: everybody");
    }

    async fn since_is_inclusive_in_any_time_zone(api: TestApi) {
        four(&api).await;
        for since in [
            "2025-01-15T10:00:00Z",
            "2025-01-15T10:00:00.000Z",
            "2025-01-15T12:00:00%2B02:00",
            "2025-01-15T12:00:00+02:00",
            "2025-01-15T04:30:00-05:30",
        ] {
            assert_eq!(api.ids(&format!("since={since}")).await, of(&["B", "b", "c", "late"], 4), "{since}");
        }
        assert_eq!(api.ids("since=2025-01-15T10:00:00.001Z").await, of(&["late"], 1));
        assert_eq!(api.ids("since=2025-01-15T10:00:00.0010001Z").await, of(&[], 0));
        assert_eq!(api.ids("since=2025-01-15T10:00:00.001Z&from=%2B919876543210").await, of(&[], 0));
        assert_eq!(api.ids("since=2025-01-15T10:00:00.0005Z&from=%2B14155550100&q=HELL").await, of(&["late"], 1));
    }

    async fn bad_parameters_are_named_all_at_once(api: TestApi) {
        let faults = async |query: &str| api.get(&format!("/messages?{query}")).await.faults();
        for (query, fault) in [
            ("limit=0", "query.limit: greater_than_equal"),
            ("limit=101", "query.limit: less_than_equal"),
            ("limit=x", "query.limit: int_parsing"),
            ("limit=", "query.limit: int_parsing"),
            ("limit=1.5", "query.limit: int_parsing"),
            ("offset=-1", "query.offset: greater_than_equal"),
            ("offset=x", "query.offset: int_parsing"),
            ("offset=9223372036854775808", "query.offset: less_than_equal"),
            ("since=yesterday", "query.since: value_error"),
            ("since=2025-02-29T00:00:00Z", "query.since: value_error"),
            ("since=2025-01-15T10:00:00", "query.since: value_error"),
            ("since=", "query.since: value_error"),
            ("q=a%00b", "query.q: value_error"),
            ("from=%00", "query.from: value_error"),
        ] {
            assert_eq!(faults(query).await, [fault], "{query}");
        }
        let all = ["query.limit: less_than_equal", "query.offset: int_parsing", "query.since: value_error", "query.q: value_error"];
        assert_eq!(faults("q=%00&since=x&limit=101&offset=y").await, all);
        let reply: Value = api.get("/messages?limit=0").await.json();
        assert_eq!(reply["detail"][0]["loc"], json!(["query", "limit"]));
        assert_eq!(api.get("/messages?colour=red&limit=0&limit=50").await.json(), nothing(), "unknown ones are ignored, the last of two counts");
    }
}
