//! Validates a notice, member by member; all errors are reported together.

use domain::{
    clock::Millis,
    endpoint::EndpointUrl,
    id::NoticeId,
    notification::{DEFAULT_NOTICE_TYPE, MAX_MESSAGE_CHARS, MAX_NOTICE_TYPE_CHARS, MAX_TITLE_CHARS},
};
use entity::notice::Model;
use serde_json::Value;

use crate::{
    extract::Fields,
    problem::Problem,
    routes::text::{string, text},
};

/// Reads one.
pub(super) fn read(mut fields: Fields, now: Millis) -> Result<Model, Problem> {
    let title = fields.required("title", text(MAX_TITLE_CHARS));
    let message = fields.required("message", text(MAX_MESSAGE_CHARS));
    let kind = fields.optional("type", text(MAX_NOTICE_TYPE_CHARS));
    let url = fields.optional("url", url);
    let (Some(title), Some(message)) = (title, message) else {
        return Err(fields.refused());
    };
    fields.done()?;
    let kind = kind.unwrap_or_else(|| DEFAULT_NOTICE_TYPE.to_owned());
    Ok(Model { id: NoticeId::new().0, title, message, kind, url, created_at: now.0 })
}

/// Where to read more: the same rules as for the address of an endpoint, kept as it is written. Nothing is sent there.
fn url(value: &Value) -> Result<String, String> {
    let url = EndpointUrl::parse(string(value)?).map_err(|wrong| wrong.to_string())?;
    Ok(url.as_str().to_owned())
}
