//! A subscriber as callers see it.

use domain::{
    clock::Millis,
    id::{SubscriberId, UserId},
};
use entity::subscriber::Model;
use serde::Serialize;

/// A subscriber. Its chat is a string, whatever it was given as.
#[derive(Serialize)]
pub(crate) struct SubscriberOut {
    id: SubscriberId,
    chat_id: Option<String>,
    user_id: Option<UserId>,
    name: Option<String>,
    active: bool,
    created_at: String,
    updated_at: String,
}

impl From<Model> for SubscriberOut {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            chat_id: row.chat_id,
            user_id: row.user_id.map(UserId),
            name: row.name,
            active: row.active,
            created_at: Millis(row.created_at).rfc3339(),
            updated_at: Millis(row.updated_at).rfc3339(),
        }
    }
}
