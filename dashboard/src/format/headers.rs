//! Stored headers as pairs. What proves an identity is masked once more when it is shown.

use serde_json::Value;

/// Headers whose values no page shows.
const MASKED: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"];
/// What stands for a value that is not shown.
const MASK: &str = "••••••";

/// A header, as a row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Its name.
    pub(crate) name: String,
    /// Its value, or the mask.
    pub(crate) value: String,
}

impl Header {
    fn new(name: &str, value: String) -> Self {
        let masked = MASKED.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        Self { name: name.to_owned(), value: if masked { MASK.to_owned() } else { value } }
    }
}

/// Reads headers stored as a JSON object, or as a list of pairs; anything else is shown as one nameless row.
pub(crate) fn read(stored: &str) -> Vec<Header> {
    match serde_json::from_str(stored) {
        Ok(Value::Object(members)) => members.iter().flat_map(|(name, value)| member(name, value)).collect(),
        Ok(Value::Array(pairs)) => pairs.iter().filter_map(pair).collect(),
        _ if stored.trim().is_empty() => Vec::new(),
        _ => vec![Header::new("", stored.to_owned())],
    }
}

/// A member of an object; a header that came several times has a list of values.
fn member(name: &str, value: &Value) -> Vec<Header> {
    match value {
        Value::Array(values) => values.iter().map(|value| Header::new(name, text(value))).collect(),
        value => vec![Header::new(name, text(value))],
    }
}

fn pair(pair: &Value) -> Option<Header> {
    let [name, value] = pair.as_array()?.as_slice() else {
        return None;
    };
    Some(Header::new(name.as_str()?, text(value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read_and_secrets_are_masked() {
        let object = r#"{"content-type":"application/json","Authorization":"Bearer x","via":["a","b"]}"#;
        let shown: Vec<String> = read(object).iter().map(|h| format!("{}={}", h.name, h.value)).collect();
        assert_eq!(shown, ["content-type=application/json", "Authorization=••••••", "via=a", "via=b"]);
        let pairs = r#"[["a","1"],["SET-COOKIE","s"],["odd"]]"#;
        let shown: Vec<String> = read(pairs).iter().map(|h| format!("{}={}", h.name, h.value)).collect();
        assert_eq!(shown, ["a=1", "SET-COOKIE=••••••"]);
    }

    #[test]
    fn anything_else_is_shown_as_it_is() {
        assert!(read("").is_empty());
        assert_eq!(read("a: 1"), [Header { name: String::new(), value: "a: 1".to_owned() }]);
    }
}
