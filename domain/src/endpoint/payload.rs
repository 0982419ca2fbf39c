//! The custom payload that an endpoint's owner merges into the body of every delivery.
//! An object stored as its owner wrote it: numbers keep all their digits. Only insignificant white space is removed.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::members::Members;

/// Most bytes of a custom payload, as JSON without white space.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;
/// Deepest nesting of objects and arrays.
pub const MAX_PAYLOAD_DEPTH: usize = 100;

/// A JSON object of at most [`MAX_PAYLOAD_BYTES`], its members in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPayload(String);

/// Any JSON value, with its original text.
#[derive(Clone, Debug)]
pub struct WrittenJson(Box<RawValue>);

/// Why a custom payload is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not a JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Above [`MAX_PAYLOAD_BYTES`].
    #[error("has more than {MAX_PAYLOAD_BYTES} bytes as JSON")]
    TooLarge,
    /// Above [`MAX_PAYLOAD_DEPTH`].
    #[error("is nested deeper than {MAX_PAYLOAD_DEPTH} levels")]
    TooDeep,
}

impl CustomPayload {
    /// Accepts any JSON object of at most [`MAX_PAYLOAD_BYTES`].
    ///
    /// # Errors
    /// When it is not an object, or too large.
    pub fn parse(json: &WrittenJson) -> Result<Self, PayloadError> {
        let text = without_blanks(json.0.get())?;
        if !text.starts_with('{') {
            return Err(PayloadError::NotAnObject);
        }
        let members: Members<'_> = serde_json::from_str(&text).map_err(|_| PayloadError::NotAnObject)?;
        let text = serde_json::to_string(&members.last_of_each()).map_err(|_| PayloadError::NotAnObject)?;
        if text.len() > MAX_PAYLOAD_BYTES { Err(PayloadError::TooLarge) } else { Ok(Self(text)) }
    }

    /// Returns its members in the order given, with unparsed values.
    pub(super) fn members(&self) -> Members<'_> {
        serde_json::from_str(&self.0).expect("it was made of an object")
    }

    /// Returns the JSON text for storage; [`str::parse`] reads it back.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.clone()
    }
}

impl FromStr for CustomPayload {
    type Err = PayloadError;

    /// Parses stored JSON text.
    fn from_str(json: &str) -> Result<Self, Self::Err> {
        Self::parse(&serde_json::from_str(json).map_err(|_| PayloadError::NotAnObject)?)
    }
}

impl<'de> Deserialize<'de> for WrittenJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}

impl From<Box<RawValue>> for WrittenJson {
    fn from(json: Box<RawValue>) -> Self {
        Self(json)
    }
}

impl From<&Value> for WrittenJson {
    fn from(value: &Value) -> Self {
        Self(serde_json::value::to_raw_value(value).expect("a JSON value is always written"))
    }
}

/// Removes insignificant white space from JSON.
fn without_blanks(json: &str) -> Result<String, PayloadError> {
    let (mut text, mut depth, mut in_string, mut is_escaped) =
        (String::with_capacity(json.len()), 0, false, false);
    for character in json.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '[' if depth == MAX_PAYLOAD_DEPTH => return Err(PayloadError::TooDeep),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ' ' | '\t' | '\n' | '\r' => continue,
            _ => {}
        }
        text.push(character);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload(value: &Value) -> Result<CustomPayload, PayloadError> {
        CustomPayload::parse(&value.into())
    }

    #[test]
    fn an_object_is_kept_in_its_order() {
        let payload = payload(&json!({"z": 1, "a": {"b": [null, "ä"]}})).expect("an object");
        assert_eq!(payload.to_json(), r#"{"z":1,"a":{"b":[null,"ä"]}}"#);
        assert_eq!(payload.to_json().parse(), Ok(payload));
    }

    #[test]
    fn numbers_and_strings_are_kept_as_they_are_written() {
        let written = r#"{ "n": 12345678901234567890123, "f" : 123456789.123456789,
            "e":[1e400, -0.0 ,1.50E+3], "s":"a \" \\ b\u00e4", "n2": { } }"#;
        let kept = r#"{"n":12345678901234567890123,"f":123456789.123456789,"e":[1e400,-0.0,1.50E+3],"s":"a \" \\ b\u00e4","n2":{}}"#;
        let payload: CustomPayload = written.parse().expect("an object");
        assert_eq!(payload.to_json(), kept);
        assert_eq!(kept.parse(), Ok(payload));
    }

    #[test]
    fn of_a_name_that_is_given_twice_the_last_value_counts() {
        let payload: CustomPayload = r#"{"a":1,"b":2,"a":3}"#.parse().expect("an object");
        assert_eq!(payload.to_json(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn anything_but_an_object_is_refused() {
        for value in [json!(null), json!([]), json!("{}"), json!(1)] {
            assert_eq!(payload(&value), Err(PayloadError::NotAnObject));
        }
        assert_eq!("{".parse::<CustomPayload>(), Err(PayloadError::NotAnObject));
    }

    #[test]
    fn size_and_depth_are_bounded_as_written() {
        let sized = |bytes: usize| payload(&json!({"a": "x".repeat(bytes - 8)}));
        assert_eq!(sized(MAX_PAYLOAD_BYTES).map(|payload| payload.to_json().len()), Ok(MAX_PAYLOAD_BYTES));
        assert_eq!(sized(MAX_PAYLOAD_BYTES + 1), Err(PayloadError::TooLarge));
        let nested = |depth: usize| {
            let lists = depth - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists)).parse::<CustomPayload>()
        };
        assert!(nested(MAX_PAYLOAD_DEPTH).is_ok());
        assert_eq!(nested(MAX_PAYLOAD_DEPTH + 1), Err(PayloadError::TooDeep));
    }
}
