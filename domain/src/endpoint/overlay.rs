//! Lays a custom payload over a rendered body.
//! Members that stay are copied byte for byte: numbers beyond 2^53 and the sender's own spelling survive.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::{RawValue, to_raw_value};

use super::CustomPayload;

/// The body to lay a payload over is not a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct NotAnObject;

/// The body with the members of `payload` laid over its top level: the owner's value wins and keeps the
/// member's place; members that the body does not have follow at the end, in the payload's order.
///
/// # Errors
/// When `body` is not a JSON object.
pub fn overlay(body: &[u8], payload: &CustomPayload) -> Result<Vec<u8>, NotAnObject> {
    let Members(mut members) = serde_json::from_slice(body).map_err(|_| NotAnObject)?;
    for (name, value) in payload.members() {
        let value = Cow::Owned(to_raw_value(value).expect("a JSON value is always written"));
        match members.iter_mut().find(|(other, _)| other == name) {
            Some(member) => member.1 = value,
            None => members.push((Cow::Borrowed(name), value)),
        }
    }
    Ok(serde_json::to_vec(&Members(members)).expect("an object with string keys is always written"))
}

/// The members of an object in their order, their values unread.
struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            members.push((name, Cow::Borrowed(value)));
        }
        Ok(Members(members))
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn laid(body: &str, payload: &serde_json::Value) -> String {
        let payload = CustomPayload::parse(payload).expect("an object");
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
    fn members_that_stay_are_copied_byte_for_byte() {
        let body = r#"{"data":{ "n": 12345678901234567890123, "e":1.50e+3, "s":"\u00e4" },"a\"b":1}"#;
        assert_eq!(laid(body, &json!({"a\"b": 2})), body.replace(":1}", ":2}"));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let payload = CustomPayload::parse(&json!({})).expect("an object");
        for body in ["[]", "1", "", "{", "null"] {
            assert_eq!(overlay(body.as_bytes(), &payload), Err(NotAnObject), "{body}");
        }
    }
}
