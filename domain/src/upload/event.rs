//! The body of an upload's event.
//! The members and their order are a public contract: receivers and signatures depend on them.

use serde_json::{Map, Value, json};

use super::{Inspection, SafeFileName};
use crate::{
    clock::Millis,
    id::{EndpointId, UploadId, UserId},
};

/// The event type of every upload's event.
pub const UPLOAD_EVENT_TYPE: &str = "upload file";

/// The data of one upload's event.
#[derive(Clone, Copy, Debug)]
pub struct UploadEvent<'a> {
    /// When the event was created.
    pub timestamp: Millis,
    /// The upload.
    pub upload_id: UploadId,
    /// The endpoint that it was uploaded for.
    pub webhook_id: EndpointId,
    /// The endpoint's owner.
    pub user_id: UserId,
    /// The name as it is stored.
    pub file_name: &'a SafeFileName,
    /// The result of the inspection; determines the status and reason.
    pub inspection: &'a Inspection,
    /// A signed link to the file; `None` when the file is gone.
    pub download_url: Option<&'a str>,
}

/// Renders the body with its members in order, without the owner's custom payload.
#[must_use]
pub fn render_event(event: &UploadEvent<'_>) -> Map<String, Value> {
    let found = event.inspection;
    let data = json!({
        "upload_id": event.upload_id,
        "webhook_id": event.webhook_id,
        "user_id": event.user_id,
        "status": found.state(),
        "reason": found.failure,
        "file_name": event.file_name.as_str(),
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "media_type": found.media_type,
        "facts": found.facts,
        "download_url": event.download_url,
    });
    Map::from_iter([
        ("type".to_owned(), UPLOAD_EVENT_TYPE.into()),
        ("timestamp".to_owned(), event.timestamp.rfc3339().into()),
        ("data".to_owned(), data),
    ])
}
