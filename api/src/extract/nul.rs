//! NUL in JSON bodies, which databases can't store in text.

use domain::problem::FieldError;
use serde_json::{Map, Value};

/// The rule that a string with a NUL breaks.
const NUL: &str = "must not contain a NUL character";
/// Most members that one response names.
const NAMED_MEMBERS: usize = 16;
/// Most characters of a member's name that a response contains.
const NAME_CHARS: usize = 64;

/// Returns an error for each member that contains a NUL, at most [`NAMED_MEMBERS`].
pub(super) fn nul_members(body: &Map<String, Value>) -> Vec<FieldError> {
    let faulty = body.iter().filter(|(name, value)| name.contains('\0') || has_nul(value));
    faulty.take(NAMED_MEMBERS).map(|(name, _)| FieldError::new(shown(name), NUL)).collect()
}

/// Formats a member's name for a response: truncated, with control characters escaped.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS).flat_map(char::escape_default).collect()
}

/// Whether a value contains a NUL, in a string or in a name.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
