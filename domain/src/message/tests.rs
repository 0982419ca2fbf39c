use serde_json::{Value, json};

use super::*;

fn body() -> Value {
    json!({"message_id": "m1", "from": "+919876543210", "to": "+14155550100", "ts": "2025-01-15T10:00:00Z", "text": "Hello"})
}

fn parse(body: &Value) -> Result<Message, Vec<Fault>> {
    Message::parse(body.to_string().as_bytes())
}

/// The faults of a body in which one member has this value, as `where: type`.
fn faults_with(name: &str, value: Value) -> Vec<String> {
    let mut body = body();
    body[name] = value;
    errors_of(parse(&body))
}

fn errors_of(parsed: Result<Message, Vec<Fault>>) -> Vec<String> {
    let faults = parsed.err().unwrap_or_default();
    faults.iter().map(|fault| format!("{}: {}", fault.loc.join("."), fault.kind)).collect()
}

#[test]
fn the_message_of_the_document_is_taken_as_it_is() {
    let message = parse(&body()).expect("valid");
    assert_eq!((message.message_id.as_str(), message.text.as_deref()), ("m1", Some("Hello")));
    assert_eq!(message.ts.as_str(), "2025-01-15T10:00:00Z");
}

#[test]
fn text_may_be_missing_or_null_and_unknown_members_are_ignored() {
    let mut without = body();
    without.as_object_mut().expect("an object").remove("text");
    assert_eq!(parse(&without).expect("valid").text, None);
    assert_eq!(faults_with("text", Value::Null), [""; 0]);
    assert_eq!(faults_with("text", json!("")), [""; 0]);
    assert_eq!(faults_with("anything", json!({"else": [1, "\0"]})), [""; 0]);
}

#[test]
fn every_bound_holds_at_the_bound() {
    let of = |count: usize, character: &str| json!(character.repeat(count));
    assert_eq!(faults_with("message_id", of(1, "m")), [""; 0]);
    assert_eq!(faults_with("message_id", of(0, "m")), ["body.message_id: string_too_short"]);
    assert_eq!(faults_with("message_id", of(255, "é")), [""; 0]);
    assert_eq!(faults_with("message_id", of(256, "é")), ["body.message_id: string_too_long"]);
    assert_eq!(faults_with("text", of(4_096, "🦀")), [""; 0], "characters, not bytes");
    assert_eq!(faults_with("text", of(4_097, "a")), ["body.text: string_too_long"]);
    assert_eq!(faults_with("from", json!("+123456789012345")), [""; 0]);
    assert_eq!(faults_with("from", json!("+1234567890123456")), ["body.from: value_error"]);
}

#[test]
fn values_of_another_type_are_told_by_their_type() {
    for name in ["message_id", "from", "to", "ts", "text"] {
        for value in [json!(1), json!(true), json!([]), json!({})] {
            assert_eq!(faults_with(name, value), [format!("body.{name}: string_type")]);
        }
        assert_eq!(faults_with(name, json!("a\0b")), [format!("body.{name}: value_error")]);
    }
    assert_eq!(faults_with("to", Value::Null), ["body.to: string_type"]);
}

#[test]
fn every_fault_is_told_at_once_in_the_order_of_the_members() {
    let faults = errors_of(parse(&json!({"text": 1, "ts": "yesterday", "from": "12"})));
    assert_eq!(
        faults,
        [
            "body.message_id: missing",
            "body.from: value_error",
            "body.to: missing",
            "body.ts: value_error",
            "body.text: string_type"
        ]
    );
}

#[test]
fn a_body_that_is_no_object_is_one_fault() {
    for bad in ["", "{", "nonsense", "{\"a\": \u{1}}", "\u{feff}{}"] {
        assert_eq!(errors_of(Message::parse(bad.as_bytes())), ["body: json_invalid"], "{bad:?}");
    }
    assert_eq!(errors_of(Message::parse(b"\xff{}")), ["body: json_invalid"]);
    for bad in ["[1, ", "[] []", "nul", "{} {}", "\"text"] {
        assert_eq!(errors_of(Message::parse(bad.as_bytes())), ["body: json_invalid"], "{bad:?}");
    }
    for bad in ["[]", "1", "null", "\"text\""] {
        assert_eq!(errors_of(Message::parse(bad.as_bytes())), ["body: value_error"], "{bad:?}");
    }
}

#[test]
fn what_is_not_looked_at_is_read_over_whatever_it_is() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let sent = format!(
        r#"{{"deep":{deep},"large":1e999,"ts":1,"message_id":"m1","from":"+1","to":"+2","text":["x"],
            "text":"a\u0301","\u0074s":"2025-01-15T10:00:00Z"}}"#
    );
    let message = Message::parse(sent.as_bytes()).expect("valid: the last of two members counts");
    assert_eq!((message.text.as_deref(), message.ts.as_str()), (Some("a\u{301}"), "2025-01-15T10:00:00Z"));
}
