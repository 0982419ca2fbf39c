//! Merges a custom payload into a rendered body.
//! Other members are copied byte for byte: numbers beyond 2^53 and the sender's spelling survive.

use super::{CustomPayload, members::Members};

/// The body is not a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct NotAnObject;

/// Merges the members of `payload` into the top level of `body`: the owner's value replaces the member in place; members
/// that the body does not have are appended in the payload's order.
///
/// # Errors
/// When `body` is not a JSON object.
pub fn overlay(body: &[u8], payload: &CustomPayload) -> Result<Vec<u8>, NotAnObject> {
    let mut members: Members<'_> = serde_json::from_slice(body).map_err(|_| NotAnObject)?;
    for (name, value) in payload.members().0 {
        members.lay(name, value);
    }
    Ok(serde_json::to_vec(&members).expect("an object with string keys is always written"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn laid(body: &str, payload: &serde_json::Value) -> String {
        let payload = CustomPayload::parse(&payload.into()).expect("an object");
        let laid = overlay(body.as_bytes(), &payload).expect("an object");
        String::from_utf8(laid).expect("JSON is UTF-8")
    }

    #[test]
    fn the_owners_value_wins_in_place_and_new_members_follow() {
        let body = r#"{"type":"upload file","timestamp":"t","data":{"a":1}}"#;
        assert_eq!(
            laid(body, &json!({"key2": "v", "type": "mine", "key1": {"x": []}})),
            r#"{"type":"mine","timestamp":"t","data":{"a":1},"key2":"v","key1":{"x":[]}}"#
        );
        assert_eq!(
            laid(body, &json!({"data": null})),
            r#"{"type":"upload file","timestamp":"t","data":null}"#
        );
        assert_eq!(laid(body, &json!({})), body);
    }

    #[test]
    fn the_owners_numbers_keep_their_digits() {
        let payload: CustomPayload =
            r#"{"n": 12345678901234567890123, "e": 1e400}"#.parse().expect("an object");
        let laid = overlay(br#"{"n":1}"#, &payload).expect("an object");
        assert_eq!(laid, br#"{"n":12345678901234567890123,"e":1e400}"#);
    }

    #[test]
    fn members_that_stay_are_copied_byte_for_byte() {
        let body = r#"{"data":{ "n": 12345678901234567890123, "e":1.50e+3, "s":"\u00e4" },"a\"b":1}"#;
        assert_eq!(laid(body, &json!({"a\"b": 2})), body.replace(":1}", ":2}"));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let payload = CustomPayload::parse(&(&json!({})).into()).expect("an object");
        for body in ["[]", "1", "", "{", "null"] {
            assert_eq!(overlay(body.as_bytes(), &payload), Err(NotAnObject), "{body}");
        }
    }
}
