//! The body of the event that an upload becomes.
//! The members and their order are a public contract: receivers and signatures depend on them.

use serde_json::{Map, Value, json};

use super::{Inspection, SafeFileName};
use crate::{
    clock::Millis,
    id::{EndpointId, UploadId, UserId},
};

/// The event type of every upload's event.
pub const UPLOAD_EVENT_TYPE: &str = "upload file";

/// What the event of one upload tells.
#[derive(Clone, Copy, Debug)]
pub struct UploadEvent<'a> {
    /// When the event was made.
    pub timestamp: Millis,
    /// The upload.
    pub upload_id: UploadId,
    /// The endpoint that it was sent for.
    pub webhook_id: EndpointId,
    /// The endpoint's owner.
    pub user_id: UserId,
    /// The name as it is stored.
    pub file_name: &'a SafeFileName,
    /// What was found out; gives the event its status and reason.
    pub inspection: &'a Inspection,
    /// A signed link to the file; `None` when the file is gone.
    pub download_url: Option<&'a str>,
}

/// The event's body, in the order in which its members are sent. The owner's custom payload is not in it yet.
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::upload::Facts;

    fn rendered(inspection: &Inspection, download_url: Option<&str>) -> String {
        let body = render_event(&UploadEvent {
            timestamp: Millis(1_795_255_200_123),
            upload_id: UploadId(Uuid::from_u128(1)),
            webhook_id: EndpointId(Uuid::from_u128(2)),
            user_id: UserId(1),
            file_name: &SafeFileName::from_client("picture.png").expect("a name"),
            inspection,
            download_url,
        });
        serde_json::to_string_pretty(&body).expect("a body is JSON")
    }

    #[test]
    fn a_processed_upload_is_told_in_the_order_of_the_contract() {
        let inspection = Inspection {
            size_bytes: 68,
            sha256: Some("00ff".to_owned()),
            media_type: Some("image/png".to_owned()),
            facts: Some(Facts::Image { width: 1, height: 1 }),
            failure: None,
        };
        let expected = r#"{
  "type": "upload file",
  "timestamp": "2026-11-21T10:00:00.123Z",
  "data": {
    "upload_id": "00000000-0000-0000-0000-000000000001",
    "webhook_id": "00000000-0000-0000-0000-000000000002",
    "user_id": 1,
    "status": "processed",
    "reason": null,
    "file_name": "picture.png",
    "size_bytes": 68,
    "sha256": "00ff",
    "media_type": "image/png",
    "facts": {
      "kind": "image",
      "width": 1,
      "height": 1
    },
    "download_url": "http://127.0.0.1:8081/v1/uploads/x/file"
  }
}"#;
        assert_eq!(rendered(&inspection, Some("http://127.0.0.1:8081/v1/uploads/x/file")), expected);
    }

    #[test]
    fn a_failed_upload_says_why_and_leaves_the_rest_null() {
        let inspection = Inspection {
            size_bytes: 7,
            sha256: None,
            media_type: None,
            facts: None,
            failure: Some("the zip archive is broken: it ends too early".to_owned()),
        };
        let expected = r#"{
  "type": "upload file",
  "timestamp": "2026-11-21T10:00:00.123Z",
  "data": {
    "upload_id": "00000000-0000-0000-0000-000000000001",
    "webhook_id": "00000000-0000-0000-0000-000000000002",
    "user_id": 1,
    "status": "failed",
    "reason": "the zip archive is broken: it ends too early",
    "file_name": "picture.png",
    "size_bytes": 7,
    "sha256": null,
    "media_type": null,
    "facts": null,
    "download_url": null
  }
}"#;
        assert_eq!(rendered(&inspection, None), expected);
    }
}
