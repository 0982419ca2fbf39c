//! Lays JSON out for reading without touching a token: numbers beyond 2^53 and repeated members survive.

use serde::de::IgnoredAny;

/// Deepest nesting that is laid out.
const MAX_DEPTH: usize = 64;

/// The same JSON with a line per member, or `None` when `text` is not JSON or nested too deeply.
pub(crate) fn laid_out(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = Indented { text: String::with_capacity(text.len() * 2), depth: 0 };
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at(length);
        rest = after.trim_start();
        out.push(token, rest.chars().next())?;
    }
    Some(out.text)
}

/// Length of the token that `rest` begins with; `rest` is known to be valid JSON.
fn token_length(rest: &str, first: char) -> usize {
    match first {
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        '"' => string_length(rest),
        _ => rest.find([',', ':', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
    }
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

struct Indented {
    text: String,
    depth: usize,
}

impl Indented {
    fn push(&mut self, token: &str, next: Option<char>) -> Option<()> {
        match token {
            "{" | "[" => {
                self.depth += 1;
                self.text.push_str(token);
                if self.depth > MAX_DEPTH {
                    return None;
                }
                if !matches!(next, Some('}' | ']')) {
                    self.new_line();
                }
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                if !self.text.ends_with(['{', '[']) {
                    self.new_line();
                }
                self.text.push_str(token);
            }
            "," => {
                self.text.push(',');
                self.new_line();
            }
            ":" => self.text.push_str(": "),
            _ => self.text.push_str(token),
        }
        Some(())
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        (0..self.depth).for_each(|_| self.text.push_str("  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_survives_as_it_was_sent() {
        let sent = r#"{"id":9007199254740993,"n":1.10,"s":"a, \"b\": {c}","none":[],"o":{},"l":[1,2]}"#;
        let shown = laid_out(sent).expect("valid JSON");
        assert_eq!(
            shown,
            "{\n  \"id\": 9007199254740993,\n  \"n\": 1.10,\n  \"s\": \"a, \\\"b\\\": {c}\",\n  \"none\": [],\n  \"o\": {},\n  \
             \"l\": [\n    1,\n    2\n  ]\n}"
        );
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        for text in ["", "plain", "{\"a\":", "<b>", "[1,]"] {
            assert_eq!(laid_out(text), None, "{text}");
        }
        assert_eq!(laid_out(" 1 ").as_deref(), Some("1"));
        assert_eq!(laid_out("[ ]").as_deref(), Some("[]"));
        assert_eq!(laid_out("{ \"a\" : [ { } ] }").as_deref(), Some("{\n  \"a\": [\n    {}\n  ]\n}"));
    }

    #[test]
    fn layout_stops_at_its_depth() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(laid_out(&nested(MAX_DEPTH)).is_some());
        assert!(laid_out(&nested(MAX_DEPTH + 1)).is_none());
    }
}
