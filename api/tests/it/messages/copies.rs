//! One id, one message: the first one's content, however often it is sent again.

use futures_util::future::join_all;
use serde_json::json;

use super::with;
use crate::{both::on_both_databases, harness::TestApi};

on_both_databases! {
    async fn a_duplicate_gets_the_same_response_and_changes_nothing(api: TestApi) {
        let first = with(json!({}));
        api.taken(&first).await;
        api.taken(&first).await;
        api.taken_with(json!({"text": "Other", "from": "+1", "ts": "2020-01-01T00:00:00Z"})).await;
        let listed = json!({"data": [first], "total": 1, "limit": 50, "offset": 0});
        assert_eq!(api.get("/messages").await.json(), listed);
        let stats = api.get("/stats").await.json();
        assert_eq!((&stats["total_messages"], &stats["senders_count"]), (&json!(1), &json!(1)));
        assert_eq!((api.count("message").await, api.count("event").await), (1, 1));
    }

    async fn a_hundred_concurrent_copies_are_one_message(api: TestApi) {
        let copies = (0..100).map(|n| with(json!({"text": format!("copy {n}")})));
        let copies: Vec<_> = copies.collect();
        for answer in join_all(copies.iter().map(|copy| api.ingest(copy))).await {
            answer.is_taken();
        }
        let reply = api.get("/messages").await.json();
        assert_eq!((reply["total"].as_i64(), reply["data"].as_array().map(Vec::len)), (Some(1), Some(1)));
        assert!(copies.contains(&reply["data"][0]), "one of them as it is: {reply}");
        assert_eq!((api.count("message").await, api.count("event").await), (1, 1));
        assert_eq!(api.get("/stats").await.json()["messages_per_sender"], json!([{"from": "+919876543210", "count": 1}]));
    }

    async fn ids_differ_by_every_character(api: TestApi) {
        for id in ["a", "A", "ä", "a\u{308}", "a ", " a", "ａ"] {
            api.taken_with(json!({"message_id": id})).await;
        }
        assert_eq!(api.ids("").await.1, 7);
    }
}
