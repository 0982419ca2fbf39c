//! Validates a subscriber, member by member; all errors are reported together.

use domain::{
    id::SubscriberId,
    notification::{ChatId, ChatIdError, MAX_NAME_CHARS},
    problem::FieldError,
};
use entity::subscriber::Model;
use serde_json::Value;

use crate::{
    extract::Fields,
    problem::Problem,
    routes::{endpoints::validate, text::text},
};

/// Reads one. Its times are set when it is written.
pub(super) fn read(mut fields: Fields) -> Result<Model, Problem> {
    let chat_id = fields.optional("chat_id", chat);
    let user_id = fields.optional("user_id", validate::user_id);
    if chat_id.is_none() && user_id.is_none() && !fields.is_at_fault() {
        fields.note(FieldError::new("chat_id", "is missing, and user_id, too: one of them has to be there"));
    }
    let name = fields.optional("name", text(MAX_NAME_CHARS));
    let active = fields.optional("active", truth).unwrap_or(true);
    fields.done()?;
    Ok(Model {
        id: SubscriberId::new().0,
        user_id: user_id.map(|user| user.0),
        chat_id: chat_id.map(|chat| chat.to_string()),
        name,
        active,
        created_at: 0,
        updated_at: 0,
    })
}

/// A number may come as a JSON number or as a string: languages lose digits of large ones.
fn chat(value: &Value) -> Result<ChatId, String> {
    let chat = match value {
        Value::Number(number) => number.as_i64().map(ChatId::from_number).ok_or(ChatIdError),
        Value::String(text) => ChatId::parse(text),
        _ => Err(ChatIdError),
    };
    chat.map_err(|wrong| wrong.to_string())
}

fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".into())
}
