//! Publishing one event: what is taken, up to which bounds, and what is refused.

use super::*;

on_both_databases! {
    async fn an_event_is_stored_for_each_registered_endpoint_of_its_user(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        for user in [1, 1, 2] {
            api.webhook_of(user, &event_type).await;
        }
        let answer = api.publish(&event(&json!({}))).await;
        assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(2)), "{answer:?}");
        assert_eq!(answer.json().as_object().map(serde_json::Map::len), Some(2));
        assert!(id(&answer).parse::<Uuid>().is_ok_and(|id| id.get_version_num() == 7));
        let unregistered = api.publish(&event(&json!({"user_id": -3}))).await;
        assert_eq!(
            (unregistered.status, &unregistered.json()["deliveries"]),
            (202, &json!(0)),
            "no endpoint is registered: stored"
        );
        assert_eq!((api.count("event").await, api.count("delivery").await), (2, 2));
    }

    async fn data_is_returned_byte_for_byte(api: TestApi) {
        api.event_type(TYPE).await;
        let data = r#"{ "big": 12345678901234567890.10,  "dup": 1, "dup": 2, "z": "\u00e9\ud800", "n": null }"#;
        let body = format!(r#"{{"user_id":1,"type":"{TYPE}","data":  {data}  }}"#);
        let answer = api.send("POST", "/v1/events", &[JSON], body.as_bytes()).await;
        let shown = api.get(&format!("/v1/events/{}", id(&answer))).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        assert!(shown.text().contains(&format!(r#""data":{data},"#)), "{shown:?}");
    }

    async fn every_invalid_member_is_reported(api: TestApi) {
        api.event_type(TYPE).await;
        let long_name = "ä".repeat(256);
        for (over, field) in [
            (json!({"user_id": "absent"}), "user_id"),
            (json!({"user_id": null}), "user_id"),
            (json!({"user_id": "1"}), "user_id"),
            (json!({"user_id": 1.5}), "user_id"),
            (json!({"type": "absent"}), "type"),
            (json!({"type": null}), "type"),
            (json!({"type": 7}), "type"),
            (json!({"type": ""}), "type"),
            (json!({"type": long_name}), "type"),
            (json!({"type": "a\u{0}b"}), "type"),
            (json!({"type": "unknown.type"}), "type"),
            (json!({"data": "absent"}), "data"),
            (json!({"data": {"a": ["\u{0}"]}}), "data"),
            (json!({"idempotency_key": ""}), "idempotency_key"),
            (json!({"idempotency_key": 7}), "idempotency_key"),
            (json!({"idempotency_key": "a\nb"}), "idempotency_key"),
            (json!({"deliver_at": "tomorrow"}), "deliver_at"),
            (json!({"deliver_at": 1_709_024_348}), "deliver_at"),
            (json!({"endpoint_ids": []}), "endpoint_ids"),
            (json!({"endpoint_ids": "x"}), "endpoint_ids"),
            (json!({"endpoint_ids": ["x"]}), "endpoint_ids[0]"),
            (json!({"colour": "red"}), "colour"),
        ] {
            refused_field(&api.publish(&event(&over)).await, field);
        }
        let all = api.publish(&json!({"type": 1, "endpoint_ids": [1], "x": 1})).await;
        let all = all.problem(422, "validation_failed");
        let fields: Vec<_> =
            all["errors"].as_array().expect("errors").iter().map(|e| e["field"].clone()).collect();
        assert_eq!(fields, ["type", "data", "endpoint_ids[0]", "x"], "all at once");
        assert_eq!(api.count("event").await, 0);
    }

    async fn a_body_that_is_no_json_object_is_rejected(api: TestApi) {
        for path in ["/v1/events", "/v1/events/batch"] {
            for (body, status, code) in [
                ("", 400, "json_invalid"),
                ("{", 400, "json_invalid"),
                ("\"\u{0}\"", 400, "json_invalid"),
                ("[]", 422, "validation_failed"),
                ("7", 422, "validation_failed"),
            ] {
                api.send("POST", path, &[JSON], body.as_bytes()).await.problem(status, code);
            }
            api.send("POST", path, &[], b"{}").await.problem(415, "unsupported_media_type");
        }
        let twice = br#"{"user_id":1,"user_id":2,"type":"invoice.paid","data":1}"#;
        refused_field(&api.send("POST", "/v1/events", &[JSON], twice).await, "user_id");
    }

    async fn reserved_event_types_are_rejected(api: TestApi) {
        for name in ["hookyard.test", "hookyard.anything", "endpoint.disabled", "upload file", "message.received"]
        {
            refused_field(&api.publish(&event(&json!({"type": name}))).await, "type");
        }
        assert_eq!(api.count("event").await, 0);
    }

    async fn data_is_accepted_up_to_its_limits(api: TestApi) {
        api.event_type(TYPE).await;
        let publish = async |data: &str| {
            let body = format!(r#"{{"user_id":1,"type":"{TYPE}","data":{data}}}"#);
            api.send("POST", "/v1/events", &[JSON], body.as_bytes()).await
        };
        let sized = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for data in
            ["null", "0", "\"\"", "[]", "false", r#""\\u0000""#, &sized(MAX_DATA_BYTES), &deep(MAX_NESTING)]
        {
            assert_eq!(publish(data).await.status, 202, "{data:.40}");
        }
        for data in [&sized(MAX_DATA_BYTES + 1), &deep(MAX_NESTING + 1), &deep(100_000), r#"["\u0000"]"#] {
            refused_field(&publish(data).await, "data");
        }
        publish(&sized(512 * 1_024)).await.problem(413, "payload_too_large");
    }

    async fn deliver_at_is_at_most_30_days_ahead(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        api.webhook_of(1, &event_type).await;
        let at = |wait: Duration| (api.context.clock.now() + wait).rfc3339();
        let day = Duration::from_secs(24 * 3_600);
        let later = api.publish(&event(&json!({"deliver_at": at(30 * day)}))).await;
        assert_eq!(later.status, 202, "{later:?}");
        refused_field(
            &api.publish(&event(&json!({"deliver_at": at(30 * day + Duration::from_secs(60))}))).await,
            "deliver_at",
        );
        let past = api.publish(&event(&json!({"deliver_at": "1999-12-31T23:59:59.5+02:00"}))).await;
        assert_eq!(past.status, 202);
        let delivery = async |answer: &Answer| {
            api.get(&format!("/v1/events/{}", id(answer))).await.json()["deliveries"][0].clone()
        };
        let next = |delivery: &Value| {
            assert_eq!(delivery["state"], "pending", "{delivery}");
            delivery["next_attempt_at"].as_str().and_then(Millis::parse_rfc3339).expect("a time")
        };
        let (later, past) = (next(&delivery(&later).await), next(&delivery(&past).await));
        assert!(later.since(api.context.clock.now()) > 29 * day);
        assert!(past <= api.context.clock.now(), "past is now");
    }
}
