//! The stored report of one attempt. Contains no secrets: values that may be secret are masked before.

use std::time::Duration;

use bytes::Bytes;
use domain::delivery::{ErrorClass, RESPONSE_HEADERS_KEPT, SendResult};
use http::{HeaderMap, HeaderName, header};

/// Replaces a value that may be a credential.
pub const MASK: &str = "…";

/// One attempt, as the recorder stores it.
#[derive(Clone, Debug)]
pub struct SendReport {
    /// The result.
    pub result: SendResult,
    /// Why it failed; `None` on success.
    pub error_class: Option<ErrorClass>,
    /// A short error message without secrets; `None` on success.
    pub error: Option<String>,
    /// The status of the response, if its head arrived.
    pub status_code: Option<u16>,
    /// The request's headers, with values of unknown meaning masked.
    pub request_headers: HeaderRecord,
    /// The response's headers, at most [`RESPONSE_HEADERS_KEPT`] bytes of them.
    pub response_headers: Option<HeaderRecord>,
    /// The beginning of the response's body, at most [`domain::delivery::RESPONSE_BODY_KEPT`] bytes.
    pub response_body: Bytes,
    /// Its durations.
    pub timing: Timing,
    /// How many parts of a multi-part message have been accepted so far, earlier attempts included; zero for channels that send
    /// messages whole.
    pub parts_sent: u16,
}

impl SendReport {
    /// Creates the report of a delivery that can't be sent at all: an undecryptable secret, a damaged row.
    #[must_use]
    pub fn unreadable(why: &str) -> Self {
        Self {
            result: SendResult::Unreadable,
            error_class: Some(ErrorClass::Internal),
            error: Some(why.to_owned()),
            status_code: None,
            request_headers: HeaderRecord::default(),
            response_headers: None,
            response_body: Bytes::new(),
            timing: Timing::default(),
            parts_sent: 0,
        }
    }
}

/// Durations of one attempt, all measured from its start except the first two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Name resolution, if a name was resolved.
    pub resolve: Option<Duration>,
    /// TCP and TLS together, if the connection was new.
    pub connect: Option<Duration>,
    /// Until the head of the response arrived.
    pub first_byte: Option<Duration>,
    /// The whole attempt.
    pub total: Duration,
}

/// Stored headers: the text of a JSON object of strings, with repeated names joined by `, `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRecord(String);

impl HeaderRecord {
    /// Creates a record of these pairs, whose names must be unique.
    pub(crate) fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut record = Self::default();
        pairs.for_each(|(name, value)| record.push(name, value));
        record
    }

    /// Records a response's headers: each that still fits [`RESPONSE_HEADERS_KEPT`]; cookies are masked.
    pub(crate) fn from_response(headers: &HeaderMap) -> Self {
        let mut record = Self(String::with_capacity(256));
        record.0.push_str("{}");
        let mut left = RESPONSE_HEADERS_KEPT;
        for name in headers.keys() {
            let value = joined(headers, name);
            if let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) {
                left = rest;
                record.push(name.as_str(), if *name == header::SET_COOKIE { MASK } else { &value });
            }
        }
        record
    }

    /// Adds a header, whose name must be new.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.pop();
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_json(&mut self.0, name);
        self.0.push(':');
        push_json(&mut self.0, value);
        self.0.push('}');
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Returns the JSON text for storage.
    #[must_use]
    pub fn into_json(self) -> String {
        self.0
    }
}

impl Default for HeaderRecord {
    /// No headers: `{}`.
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut joined = String::new();
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            joined.push_str(", ");
        }
        joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    joined
}

fn push_json(text: &mut String, value: &str) {
    let plain = value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if plain {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&serde_json::to_string(value).expect("a string is always written"));
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parsed(record: &HeaderRecord) -> serde_json::Value {
        serde_json::from_str(record.as_json()).expect("valid JSON")
    }

    #[test]
    fn a_record_is_a_json_object_whatever_the_values_are() {
        assert_eq!(HeaderRecord::default().as_json(), "{}");
        let record = HeaderRecord::from_pairs([("a", "b"), ("c", "\"\\\t\u{7f}ä")].into_iter());
        assert_eq!(parsed(&record), serde_json::json!({"a": "b", "c": "\"\\\t\u{7f}ä"}));
    }

    #[test]
    fn repeated_names_are_joined_cookies_masked_and_odd_bytes_replaced() {
        let mut headers = HeaderMap::new();
        headers.append("vary", HeaderValue::from_static("a"));
        headers.append("vary", HeaderValue::from_static("b"));
        headers.append("set-cookie", HeaderValue::from_static("session=1"));
        headers.append("x", HeaderValue::from_bytes(b"\xff").expect("opaque bytes are allowed"));
        let record = HeaderRecord::from_response(&headers);
        assert_eq!(parsed(&record), serde_json::json!({"vary": "a, b", "set-cookie": "…", "x": "\u{fffd}"}));
    }

    #[test]
    fn headers_that_do_not_fit_are_omitted_and_the_others_kept() {
        let of = |bytes: usize| {
            let mut headers = HeaderMap::new();
            headers.append("long", "v".repeat(bytes - 4 - 2).parse().expect("a value"));
            headers.append("x", HeaderValue::from_static("y"));
            parsed(&HeaderRecord::from_response(&headers))
        };
        assert_eq!(of(RESPONSE_HEADERS_KEPT).as_object().map(serde_json::Map::len), Some(2));
        assert_eq!(of(RESPONSE_HEADERS_KEPT + 3), serde_json::json!({"x": "y"}));
    }
}
