//! Texts that several resources take, each within its bound.

use domain::notification::{check_note, check_text};
use serde_json::Value;

type Checked<T> = Result<T, String>;

/// A text of 1 to `most` characters, not all of them blank.
pub(crate) fn text(most: usize) -> impl FnOnce(&Value) -> Checked<String> {
    move |value| {
        let text = string(value)?;
        check_text(text, most).map_err(|wrong| wrong.to_string())?;
        Ok(text.to_owned())
    }
}

/// A text of at most `most` characters.
pub(crate) fn note(most: usize) -> impl FnOnce(&Value) -> Checked<String> {
    move |value| {
        let text = string(value)?;
        check_note(text, most).map_err(|wrong| wrong.to_string())?;
        Ok(text.to_owned())
    }
}

/// Any string.
pub(crate) fn string(value: &Value) -> Checked<&str> {
    value.as_str().ok_or_else(|| "must be a string".into())
}
