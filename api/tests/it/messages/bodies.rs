//! What a message must look like, at every bound and one beyond.

use serde_json::{Value, json};

use super::{nothing, with};
use crate::{both::on_both_databases, harness::TestApi};

/// The faults of the document's message with one member changed.
async fn faults(api: &TestApi, name: &str, value: Value) -> Vec<String> {
    let mut message = with(json!({}));
    message[name] = value;
    api.ingest(&message).await.faults()
}

/// It is taken, and shown as it was sent.
async fn is_kept(api: &TestApi, message: &Value) {
    api.taken(message).await;
    let reply = api.get("/messages?limit=100").await.json();
    let rows = reply["data"].as_array().expect("rows");
    assert!(rows.contains(message), "{message} is not in {reply}");
}

on_both_databases! {
    async fn the_documented_message_is_accepted_and_listed(api: TestApi) {
        assert_eq!(api.get("/messages").await.json(), nothing());
        let message = with(json!({}));
        api.taken(&message).await;
        let listed = json!({"data": [message], "total": 1, "limit": 50, "offset": 0});
        assert_eq!(api.get("/messages").await.json(), listed);
    }

    async fn an_id_has_1_to_255_characters(api: TestApi) {
        is_kept(&api, &with(json!({"message_id": "é".repeat(255)}))).await;
        is_kept(&api, &with(json!({"message_id": "🦀".repeat(255)}))).await;
        is_kept(&api, &with(json!({"message_id": "a \"quoted\"\n\u{1}id %"}))).await;
        assert_eq!(faults(&api, "message_id", json!("a".repeat(256))).await, ["body.message_id: string_too_long"]);
        assert_eq!(faults(&api, "message_id", json!("")).await, ["body.message_id: string_too_short"]);
    }

    async fn numbers_are_a_plus_and_1_to_15_digits(api: TestApi) {
        is_kept(&api, &with(json!({"message_id": "1", "from": "+1", "to": "+2"}))).await;
        is_kept(&api, &with(json!({"message_id": "15", "from": "+123456789012345", "to": "+543210987654321"}))).await;
        for bad in ["+1234567890123456", "123", "+", "", "+12a", " +12", "+1 2", "++1", "+١"] {
            for name in ["from", "to"] {
                assert_eq!(faults(&api, name, json!(bad)).await, [format!("body.{name}: value_error")], "{bad:?}");
            }
        }
    }

    async fn a_timestamp_must_exist_and_is_returned_as_sent(api: TestApi) {
        for (n, ts) in [
            "2024-02-29T00:00:00Z",
            "2000-02-29T23:59:59Z",
            "2025-01-15T10:00:00.5Z",
            "2025-01-15T10:00:00.123456789Z",
            "2025-01-15T10:00:00.000Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999Z",
        ]
        .into_iter()
        .enumerate()
        {
            is_kept(&api, &with(json!({"message_id": n.to_string(), "ts": ts}))).await;
        }
        for bad in [
            "2025-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2025-04-31T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-15T24:00:00Z",
            "2025-01-15T10:00:00",
            "2025-01-15T10:00:00+00:00",
            "2025-01-15T10:00:00.Z",
            "2025-01-15 10:00:00Z",
            "2025-01-15",
            "1736935200",
            "",
        ] {
            assert_eq!(faults(&api, "ts", json!(bad)).await, ["body.ts: value_error"], "{bad:?}");
        }
    }

    async fn text_is_optional_and_at_most_4096_characters(api: TestApi) {
        is_kept(&api, &with(json!({"message_id": "crabs", "text": "🦀".repeat(4_096)}))).await;
        is_kept(&api, &with(json!({"message_id": "controls", "text": "\u{1}".repeat(4_096)}))).await;
        is_kept(&api, &with(json!({"message_id": "empty", "text": ""}))).await;
        assert_eq!(faults(&api, "text", json!("a".repeat(4_097))).await, ["body.text: string_too_long"]);
        assert_eq!(faults(&api, "text", json!("🦀".repeat(4_097))).await, ["body.text: string_too_long"]);
        for (id, body) in [("null", r#","text":null}"#), ("missing", "}")] {
            let mut message = with(json!({"message_id": id, "text": null})).to_string();
            message.pop();
            api.signed((message + body).as_bytes(), &[]).await.is_taken();
        }
        let reply = api.get("/messages").await.json();
        let without: Vec<_> = reply["data"].as_array().expect("rows").iter().filter(|row| row["text"].is_null()).collect();
        assert_eq!(without.len(), 2, "null, not left out: {reply}");
        assert!(without.iter().all(|row| row.as_object().is_some_and(|row| row.contains_key("text"))));
    }

    async fn nul_is_rejected_in_every_stored_field(api: TestApi) {
        for name in ["message_id", "from", "to", "ts", "text"] {
            assert_eq!(faults(&api, name, json!("a\0b")).await, [format!("body.{name}: value_error")]);
        }
        api.taken_with(json!({"else": "a\0b", "a\0b": [1, {"\0": "\0"}]})).await;
        assert_eq!(api.get("/messages").await.json()["data"], json!([with(json!({}))]), "unknown members are ignored");
    }

    async fn all_errors_are_reported_and_nothing_is_stored(api: TestApi) {
        for name in ["message_id", "from", "to", "ts"] {
            assert_eq!(api.ingest(&with(json!({(name): null}))).await.faults(), [format!("body.{name}: missing")]);
            assert_eq!(faults(&api, name, json!(null)).await, [format!("body.{name}: string_type")]);
        }
        for other in [json!(1), json!(true), json!(["x"]), json!({"x": 1})] {
            for name in ["message_id", "from", "to", "ts", "text"] {
                assert_eq!(faults(&api, name, other.clone()).await, [format!("body.{name}: string_type")]);
            }
        }
        let reply = api.ingest(&json!({"from": "12", "ts": "now", "text": 1})).await.faults();
        let all = ["body.message_id: missing", "body.from: value_error", "body.to: missing", "body.ts: value_error", "body.text: string_type"];
        assert_eq!(reply, all);
        assert_eq!((api.get("/messages").await.json(), api.count("event").await), (nothing(), 0));
    }

    async fn a_body_that_is_no_json_object_is_one_error(api: TestApi) {
        for bad in [&b""[..], b"{", b"nonsense", b"{\"a\":\xff}", b"{} {}", b"{\"message_id\":\"\\ud800\"}"] {
            assert_eq!(api.signed(bad, &[]).await.faults(), ["body: json_invalid"], "{bad:?}");
        }
        for bad in [&b"[]"[..], b"null", b"1", b"\"text\""] {
            assert_eq!(api.signed(bad, &[]).await.faults(), ["body: value_error"], "{bad:?}");
        }
    }
}
