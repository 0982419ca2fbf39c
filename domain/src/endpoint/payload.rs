//! What an endpoint's owner lays over the body of every delivery.
//! An object, kept as its JSON text.

use std::str::FromStr;

use serde_json::{Map, Value};

/// Most bytes of a custom payload, written as JSON without blanks.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// A JSON object of at most [`MAX_PAYLOAD_BYTES`], its members in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPayload(Map<String, Value>);

/// Why a custom payload is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not a JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Above [`MAX_PAYLOAD_BYTES`].
    #[error("has more than {MAX_PAYLOAD_BYTES} bytes as JSON")]
    TooLarge,
}

impl CustomPayload {
    /// Takes any JSON object of at most [`MAX_PAYLOAD_BYTES`].
    ///
    /// # Errors
    /// When it is something else, or too large.
    pub fn parse(value: &Value) -> Result<Self, PayloadError> {
        let members = value.as_object().ok_or(PayloadError::NotAnObject)?;
        if value.to_string().len() > MAX_PAYLOAD_BYTES {
            return Err(PayloadError::TooLarge);
        }
        Ok(Self(members.clone()))
    }

    /// Its members, in the order given.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// As JSON text, for storage; [`str::parse`] reads it back.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("an object with string keys is always written")
    }
}

impl FromStr for CustomPayload {
    type Err = PayloadError;

    /// Reads stored JSON text.
    fn from_str(json: &str) -> Result<Self, Self::Err> {
        let value: Value = serde_json::from_str(json).map_err(|_| PayloadError::NotAnObject)?;
        Self::parse(&value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_kept_in_its_order() {
        let payload = CustomPayload::parse(&json!({"z": 1, "a": {"b": [null, "ä"]}})).expect("an object");
        assert_eq!(payload.to_json(), r#"{"z":1,"a":{"b":[null,"ä"]}}"#);
        assert_eq!(payload.to_json().parse(), Ok(payload));
    }

    #[test]
    fn anything_but_an_object_is_refused() {
        for value in [json!(null), json!([]), json!("{}"), json!(1)] {
            assert_eq!(CustomPayload::parse(&value), Err(PayloadError::NotAnObject));
        }
        assert_eq!("{".parse::<CustomPayload>(), Err(PayloadError::NotAnObject));
    }

    #[test]
    fn size_is_bounded_as_written() {
        let of = |bytes: usize| CustomPayload::parse(&json!({"a": "x".repeat(bytes - 8)}));
        assert_eq!(of(MAX_PAYLOAD_BYTES).map(|payload| payload.to_json().len()), Ok(MAX_PAYLOAD_BYTES));
        assert_eq!(of(MAX_PAYLOAD_BYTES + 1), Err(PayloadError::TooLarge));
    }
}
