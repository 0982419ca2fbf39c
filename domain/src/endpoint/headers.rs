//! Custom headers that an endpoint's owner adds to every request.
//! Their values may be credentials: `Debug` and errors show names only.

use std::{fmt, fmt::Write as _};

use serde_json::Value;

/// Most custom headers of an endpoint.
pub const MAX_HEADERS: usize = 32;
/// Most bytes of names and values together.
pub const MAX_HEADERS_BYTES: usize = 8 * 1024;
/// Names reserved for the sender; compared case-insensitively.
pub const OWNED_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// Custom headers in the order given, names in lower case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CustomHeaders(Vec<(String, String)>);

/// Why custom headers are rejected. Never contains a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    /// Not a JSON object.
    #[error("must be an object of strings")]
    NotAnObject,
    /// Above [`MAX_HEADERS`].
    #[error("has more than {MAX_HEADERS} headers")]
    TooMany,
    /// Above [`MAX_HEADERS_BYTES`].
    #[error("has more than {MAX_HEADERS_BYTES} bytes of names and values")]
    TooLarge,
    /// A name that is not an HTTP token.
    #[error("{0:?} is not a valid header name")]
    Name(String),
    /// A name of [`OWNED_HEADERS`].
    #[error("{0:?} is set by the sender and can't be overridden")]
    Owned(String),
    /// The same name twice, in different cases.
    #[error("{0:?} is there more than once")]
    Repeated(String),
    /// A value that is not a string.
    #[error("the value of {0:?} must be a string")]
    NotAString(String),
    /// A value with CR, LF, NUL, another control character, or characters beyond ASCII.
    #[error("the value of {0:?} must be printable ASCII")]
    Value(String),
}

impl CustomHeaders {
    /// Parses a flat object of strings. `null` means no headers.
    ///
    /// # Errors
    /// Names the first violated rule and the header.
    pub fn parse(value: &Value) -> Result<Self, HeadersError> {
        let members = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(HeadersError::NotAnObject),
        };
        if members.len() > MAX_HEADERS {
            return Err(HeadersError::TooMany);
        }
        let mut headers = Vec::with_capacity(members.len());
        let mut left = MAX_HEADERS_BYTES;
        for (name, value) in members {
            let value = value.as_str().ok_or_else(|| HeadersError::NotAString(shown(name)))?;
            left = left.checked_sub(name.len() + value.len()).ok_or(HeadersError::TooLarge)?;
            headers.push((checked_name(name, &headers)?, checked_value(name, value)?));
        }
        Ok(Self(headers))
    }

    /// Iterates over names (lower case) and values, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a JSON object for storage (encrypted) and for the owner; [`CustomHeaders::parse`] reads it back.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }
}

fn checked_name(name: &str, seen: &[(String, String)]) -> Result<String, HeadersError> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(HeadersError::Name(shown(name)));
    }
    let lower = name.to_ascii_lowercase();
    if OWNED_HEADERS.contains(&lower.as_str()) {
        return Err(HeadersError::Owned(lower));
    }
    if seen.iter().any(|(other, _)| *other == lower) {
        return Err(HeadersError::Repeated(lower));
    }
    Ok(lower)
}

fn checked_value(name: &str, value: &str) -> Result<String, HeadersError> {
    let printable = |byte: u8| matches!(byte, b' '..=b'~' | b'\t');
    if value.bytes().all(printable) { Ok(value.to_owned()) } else { Err(HeadersError::Value(shown(name))) }
}

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Shortens a long name for an error.
fn shown(name: &str) -> String {
    const MOST: usize = 64;
    let mut shown: String = name.chars().take(MOST).collect();
    if shown.len() < name.len() {
        shown.write_char('…').expect("writing to a String does not fail");
    }
    shown
}

impl fmt::Debug for CustomHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(value: &Value) -> HeadersError {
        CustomHeaders::parse(value).expect_err("refused")
    }

    #[test]
    fn an_object_of_strings_is_read_and_written_back() {
        let value = json!({"Content-Type": "application/json", "Authorization": "Bearer yourtokenhere"});
        let headers = CustomHeaders::parse(&value).expect("the document's example");
        let pairs: Vec<_> = headers.iter().collect();
        assert_eq!(pairs, [("content-type", "application/json"), ("authorization", "Bearer yourtokenhere")]);
        assert_eq!(CustomHeaders::parse(&headers.to_value()), Ok(headers.clone()));
        assert_eq!(format!("{headers:?}"), r#"{"content-type", "authorization"}"#);
        assert!(CustomHeaders::parse(&Value::Null).expect("no headers").is_empty());
    }

    #[test]
    fn only_a_flat_object_of_strings_will_do() {
        assert_eq!(refused(&json!(["a"])), HeadersError::NotAnObject);
        assert_eq!(refused(&json!("a: b")), HeadersError::NotAnObject);
        for value in [json!(1), json!(null), json!(true), json!({"b": "c"}), json!(["b"])] {
            assert_eq!(refused(&json!({ "a": value })), HeadersError::NotAString("a".into()));
        }
    }

    #[test]
    fn names_that_the_sender_owns_are_refused_in_any_case() {
        for owned in OWNED_HEADERS {
            assert_eq!(refused(&json!({ *owned: "x" })), HeadersError::Owned((*owned).into()));
            let upper = owned.to_uppercase();
            assert_eq!(refused(&json!({ upper: "x" })), HeadersError::Owned((*owned).into()));
        }
    }

    #[test]
    fn bad_names_and_values_are_refused_by_name() {
        for name in ["", "a b", "a:", "ä", "a\r\nb", "a\0", "(a)"] {
            assert_eq!(refused(&json!({ name: "x" })), HeadersError::Name(name.into()));
        }
        for value in ["a\r\nb: c", "a\nb", "a\rb", "\0", "\u{7f}", "ä"] {
            assert_eq!(refused(&json!({ "a": value })), HeadersError::Value("a".into()));
        }
        assert!(CustomHeaders::parse(&json!({"a": "", "b": "x\ty ~!"})).is_ok());
        assert_eq!(refused(&json!({"X-A": "1", "x-a": "2"})), HeadersError::Repeated("x-a".into()));
        assert_eq!(refused(&json!({"ä".repeat(65): "x"})), HeadersError::Name("ä".repeat(64) + "…"));
    }

    #[test]
    fn number_and_size_are_bounded() {
        let many = |count: usize| (0..count).map(|i| (format!("x-{i}"), json!("v"))).collect::<Value>();
        assert!(CustomHeaders::parse(&many(32)).is_ok());
        assert_eq!(refused(&many(33)), HeadersError::TooMany);
        let large = |bytes: usize| json!({"name": "v".repeat(bytes - 4)});
        assert!(CustomHeaders::parse(&large(8_192)).is_ok());
        assert_eq!(refused(&large(8_193)), HeadersError::TooLarge);
    }
}
