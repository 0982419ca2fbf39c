//! `GET /stats`: exact, whatever came in and however.

use serde_json::{Value, json};

use super::with;
use crate::{both::on_both_databases, harness::TestApi};

async fn stats(api: &TestApi) -> Value {
    let answer = api.get("/stats").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

on_both_databases! {
    async fn without_messages_counts_are_zero_and_times_null(api: TestApi) {
        let nothing = json!({
            "total_messages": 0, "senders_count": 0, "messages_per_sender": [],
            "first_message_ts": null, "last_message_ts": null
        });
        assert_eq!(stats(&api).await, nothing);
    }

    async fn the_ten_busiest_senders_come_first_with_ties_by_number(api: TestApi) {
        // Sender +n has one message, +3 has three, +20 and +12 two each.
        let senders: Vec<i32> = (1..=12).chain([3, 3, 12, 20, 20]).collect();
        for (n, sender) in senders.iter().enumerate() {
            api.taken_with(json!({"message_id": n.to_string(), "from": format!("+{sender}")})).await;
        }
        let reply = stats(&api).await;
        assert_eq!((&reply["total_messages"], &reply["senders_count"]), (&json!(17), &json!(13)));
        let top: Vec<(String, i64)> = reply["messages_per_sender"].as_array().expect("a list").iter()
            .map(|one| (one["from"].as_str().expect("a number").to_owned(), one["count"].as_i64().expect("a count")))
            .collect();
        let expected = [("+3", 3), ("+12", 2), ("+20", 2), ("+1", 1), ("+10", 1), ("+11", 1), ("+2", 1), ("+4", 1), ("+5", 1), ("+6", 1)];
        assert_eq!(top, expected.map(|(from, count)| (from.to_owned(), count)));
    }

    async fn first_and_last_are_returned_as_sent(api: TestApi) {
        for (id, ts) in [
            ("m", "2025-01-15T10:00:00Z"),
            ("first", "2025-01-15T09:00:00.000Z"),
            ("last", "2025-01-15T10:00:00.50Z"),
            ("same as first", "2025-01-15T09:00:00Z"),
        ] {
            api.taken_with(json!({"message_id": id, "ts": ts})).await;
        }
        let reply = stats(&api).await;
        assert_eq!((&reply["first_message_ts"], &reply["last_message_ts"]), (&json!("2025-01-15T09:00:00.000Z"), &json!("2025-01-15T10:00:00.50Z")));
    }

    async fn the_counts_match_the_messages(api: TestApi) {
        let messages: Vec<Value> = (0..300)
            .map(|n| with(json!({"message_id": (n % 200).to_string(), "from": format!("+{}", n % 7 + 1)})))
            .collect();
        for answer in futures_util::future::join_all(messages.iter().map(|message| api.ingest(message))).await {
            answer.is_taken();
        }
        let reply = stats(&api).await;
        assert_eq!((&reply["total_messages"], api.count("message").await), (&json!(200), 200));
        assert_eq!(reply["senders_count"].as_i64(), Some(api.count("(SELECT DISTINCT sender FROM message) AS s").await));
        for one in reply["messages_per_sender"].as_array().expect("a list") {
            let from = one["from"].as_str().expect("a number");
            let counted = api.count(&format!("message WHERE sender = '{from}'")).await;
            assert_eq!(one["count"].as_i64(), Some(counted), "{from}");
            assert_eq!(api.ids(&format!("from=%2B{}", &from[1..])).await.1, counted);
        }
    }
}
