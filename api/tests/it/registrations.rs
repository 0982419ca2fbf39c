//! `GET /event_type` and `POST /webhook/register`: each row of the contract, at its bound and one over.

use serde_json::{Value, json};

use crate::harness::{TestApi, UPLOAD_FILE};

fn valid() -> Value {
    json!({"event_type_id": UPLOAD_FILE, "user_id": 1, "url": "https://webhook-test.com/2d082e807e30b6ac57ffebae73569ceb"})
}

fn valid_but(field: &str, value: Value) -> Value {
    let mut body = valid();
    body[field] = value;
    body
}

async fn refused(api: &TestApi, body: &Value) -> String {
    let message = api.post_json("/webhook/register", body).await.refused(400);
    assert_eq!(api.count("endpoint").await + api.count("lane").await, 0, "{body} left a row");
    message
}

#[tokio::test]
async fn a_custom_payload_keeps_its_digits() {
    let api = TestApi::start().await;
    let payload = r#"{"n":12345678901234567890123,"f":123456789.123456789,"e":1e400}"#;
    let body = format!(
        r#"{{"event_type_id":"21f8e1f7-4142-42f9-ac30-74961702b2eb","user_id":1,"url":"https://a.example/","custom_payload": {payload} }}"#
    );
    let json = [("content-type", "application/json")];
    let made = api.send("POST", "/webhook/register", &json, body.as_bytes()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let listed = api.get("/v1/endpoints?user_id=1").await;
    assert!(listed.text().contains(payload), "{listed:?}");
    let body = format!(
        r#"{{"user_id":2,"url":"https://a.example/","event_types":["upload file"],"metadata":{payload},"custom_payload":{payload}}}"#
    );
    let made = api.send("POST", "/v1/endpoints", &json, body.as_bytes()).await;
    assert_eq!((made.status, made.text().matches(payload).count()), (201, 2), "{made:?}");
    let too_much = body.replace("\"user_id\":2", "\"user_id\":1e400");
    api.send("POST", "/v1/endpoints", &json, too_much.as_bytes()).await.problem(422, "validation_failed");
}

#[tokio::test]
async fn event_types_are_listed_by_name() {
    let api = TestApi::start().await;
    let answer = api.get("/event_type").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let reply = answer.json();
    assert_eq!((&reply["message"], &reply["error"]), (&json!("Successfully !"), &json!(false)));
    let seeded = json!({"id": UPLOAD_FILE, "name": "upload file", "description": "Event type for file upload operations"});
    assert_eq!(reply["data"][0]["name"], "message.received");
    assert_eq!(reply["data"][1], seeded);
}

#[tokio::test]
async fn the_documented_registration_is_accepted() {
    let api = TestApi::start().await;
    let mut body = valid();
    body["custom_headers"] =
        json!({"Content-Type": "application/json", "Authorization": "Bearer yourtokenhere"});
    body["custom_payload"] = json!({"key1": "value1", "key2": "value2"});
    let answer = api.post_json("/webhook/register", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let reply = answer.json();
    assert_eq!(
        (&reply["message"], &reply["error"]),
        (&json!("Register Webhook Successfully!"), &json!(false))
    );
    let data = reply["data"].as_object().expect("an object");
    assert_eq!(data.keys().collect::<Vec<_>>(), ["id", "user_id", "url", "created_at", "updated_at"]);
    assert_eq!((&data["user_id"], &data["url"]), (&json!(1), &body["url"]));
    let at = data["created_at"].as_str().expect("a time");
    assert_eq!((at.len(), &at[10..11], &data["updated_at"]), (19, " ", &data["created_at"]));
    for table in ["lane", "endpoint", "endpoint_event_type"] {
        assert_eq!(api.count(table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn secrets_and_headers_are_not_readable_in_the_database() {
    let api = TestApi::start().await;
    let body = valid_but("custom_headers", json!({"authorization": "Bearer yourtokenhere"}));
    let id = api.post_json("/webhook/register", &body).await.json()["data"]["id"].clone();
    let secret = api.get(&format!("/v1/endpoints/{}/secret", id.as_str().expect("an id"))).await.json();
    let secret = secret["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));
    api.context.database.close().await;
    let mut seen = Vec::new();
    for file in std::fs::read_dir(&api.context.config.data_dir).expect("a directory").flatten() {
        seen.extend(std::fs::read(file.path()).unwrap_or_default());
    }
    let holds = |text: &str| seen.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("webhook-test.com"), "the search finds what is there");
    assert!(!holds("yourtokenhere") && !holds(&secret[6..]));
}

#[tokio::test]
async fn every_invalid_field_is_reported() {
    let api = TestApi::start().await;
    let reply = refused(&api, &json!({})).await;
    assert_eq!(reply, "event_type_id: is missing; user_id: is missing; url: is missing");
    let bad =
        json!({"event_type_id": 1, "user_id": "1", "url": "x", "custom_headers": [], "custom_payload": []});
    let reply = refused(&api, &bad).await;
    for field in ["event_type_id: ", "user_id: ", "url: ", "custom_headers: ", "custom_payload: "] {
        assert!(reply.contains(field), "{field} in {reply}");
    }
}

#[tokio::test]
async fn an_event_type_must_exist() {
    let api = TestApi::start().await;
    for id in [json!(null), json!(1), json!(""), json!("x"), json!("00000000-0000-0000-0000-000000000000")] {
        assert!(refused(&api, &valid_but("event_type_id", id)).await.starts_with("event_type_id: "));
    }
}

#[tokio::test]
async fn a_user_id_is_an_integer_of_64_bits() {
    let api = TestApi::start().await;
    for id in [
        json!(1.0),
        json!(1.5),
        json!("1"),
        json!(true),
        json!(null),
        json!([1]),
        json!(u64::MAX),
        json!(1e30),
    ] {
        assert!(refused(&api, &valid_but("user_id", id.clone())).await.starts_with("user_id: "), "{id}");
    }
    for id in [json!(i64::MAX), json!(i64::MIN), json!(0)] {
        let reply = api.post_json("/webhook/register", &valid_but("user_id", id.clone())).await.json();
        assert_eq!(reply["data"]["user_id"], id);
    }
}

#[tokio::test]
async fn a_url_keeps_the_rules() {
    let api = TestApi::with(&[("ALLOW_NETWORKS", "none")]).await;
    let long = |chars: usize| format!("https://a.test/{}", "x".repeat(chars - 15));
    let bad = [
        "",
        "webhook-test.com",
        "ftp://a.test/",
        "file:///etc/passwd",
        "https://user@a.test/",
        "https://u:p@a.test/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://100.64.0.1/",
        "https://a.test/\r\nx: y",
        "https://",
        &long(2_049),
    ];
    for url in bad {
        assert!(refused(&api, &valid_but("url", json!(url))).await.starts_with("url: "), "{url}");
    }
    for url in [&long(2_048), "http://8.8.8.8/", "https://no-such-name.invalid/x?y#z"] {
        let answer = api.post_json("/webhook/register", &valid_but("url", json!(url))).await;
        assert_eq!(answer.status, 200, "{url}: {answer:?}");
    }
}

#[tokio::test]
async fn the_all_in_one_process_may_send_to_this_machine() {
    let api = TestApi::start().await;
    let answer = api.post_json("/webhook/register", &valid_but("url", json!("http://127.0.0.1:9/"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn custom_headers_are_validated() {
    let api = TestApi::start().await;
    let many = |count: usize| (0..count).map(|i| (format!("x-{i}"), json!("v"))).collect::<Value>();
    let large = |bytes: usize| json!({"name": "v".repeat(bytes - 4)});
    let bad = [
        json!("a: b"),
        json!({"a": 1}),
        json!({"a": null}),
        json!({"a": {"b": "c"}}),
        json!({"a b": "c"}),
        json!({"": "c"}),
        json!({"a": "b\r\nx-evil: 1"}),
        json!({"a\r\nx-evil": "b"}),
        json!({"Host": "evil.test"}),
        many(33),
        json!({"Content-Length": "1"}),
        json!({"transfer-encoding": "chunked"}),
        json!({"CONNECTION": "close"}),
        json!({"Webhook-Id": "x"}),
        json!({"webhook-timestamp": "1"}),
        json!({"webhook-signature": "v1,x"}),
        large(8_193),
    ];
    for headers in bad {
        let reply = refused(&api, &valid_but("custom_headers", headers.clone())).await;
        assert!(reply.starts_with("custom_headers: "), "{headers} gave {reply}");
    }
    for headers in [many(32), large(8_192), json!({}), json!(null)] {
        let answer = api.post_json("/webhook/register", &valid_but("custom_headers", headers)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_custom_payload_is_an_object_of_16_kib() {
    let api = TestApi::start().await;
    let sized = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
    for payload in [json!([]), json!("x"), json!(1), json!(true), sized(16 * 1_024 + 1)] {
        assert!(refused(&api, &valid_but("custom_payload", payload)).await.starts_with("custom_payload: "));
    }
    for payload in
        [sized(16 * 1_024), json!({}), json!(null), json!({"type": "mine", "data": [1, {"x": null}]})]
    {
        let answer = api.post_json("/webhook/register", &valid_but("custom_payload", payload)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn nul_is_rejected_in_every_field() {
    let api = TestApi::start().await;
    let nul = "a\0b";
    for (field, value) in [
        ("url", json!("https://a.test/\0")),
        ("event_type_id", json!(nul)),
        ("custom_headers", json!({"a": nul})),
        ("custom_payload", json!({"deep": [{"er": nul}]})),
        ("custom_payload", json!({nul: 1})),
        ("unknown", json!(nul)),
    ] {
        let reply = refused(&api, &valid_but(field, value)).await;
        assert_eq!(reply, format!("{field}: must not contain a NUL character"));
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_rejected() {
    let api = TestApi::start().await;
    let json = [("content-type", "application/json; charset=utf-8")];
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for body in [&b""[..], b"{", b"nul", b"\xff\xfe", b"{} {}", b"[]", b"\"x\"", b"null", &deep[..30_000]] {
        let answer = api.send("POST", "/webhook/register", &json, body).await;
        answer.refused(400);
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let headers = [("content-type", content_type)];
        api.send("POST", "/webhook/register", &headers, valid().to_string().as_bytes()).await.refused(415);
    }
    api.send("POST", "/webhook/register", &[], valid().to_string().as_bytes()).await.refused(415);
}

#[tokio::test]
async fn a_body_is_at_most_64_kib() {
    let api = TestApi::start().await;
    let sized = |bytes: usize| {
        let body = valid().to_string();
        format!("{body}{}", " ".repeat(bytes - body.len())).into_bytes()
    };
    let json = [("content-type", "application/json")];
    let answer = api.send("POST", "/webhook/register", &json, &sized(65_536)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    api.send("POST", "/webhook/register", &json, &sized(65_537)).await.refused(413);
    let chunked = [("content-type", "application/json"), ("transfer-encoding", "chunked")];
    let body = [format!("{:x}\r\n", 65_537).into_bytes(), sized(65_537), b"\r\n0\r\n\r\n".to_vec()].concat();
    api.send("POST", "/webhook/register", &chunked, &body).await.refused(413);
}

#[tokio::test]
async fn a_stalled_body_is_408() {
    let api = TestApi::start().await;
    let headers = [("content-type", "application/json"), ("content-length", "100")];
    api.send("POST", "/webhook/register", &headers, b"{").await.refused(408);
}
