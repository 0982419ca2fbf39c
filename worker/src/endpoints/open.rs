//! Opens what is stored of an endpoint for its sends: address, signing keys and custom headers.

use channels::{SendReport, WebhookTarget};
use domain::{delivery::SendResult, endpoint::CustomHeaders, signature::SigningKeys};
use entity::endpoint::target::TargetRow;
use platform::keys::Keys;
use uuid::Uuid;

/// Why an endpoint can't be sent to; no secret is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The endpoint was deleted.
    #[error("its endpoint is gone")]
    Gone,
    /// The address can't be read.
    #[error("the stored address is damaged")]
    Address,
    /// The secret can't be opened.
    #[error("the stored secret can't be opened with this SECRET_KEY")]
    Secret,
    /// The headers can't be opened.
    #[error("the stored headers can't be opened with this SECRET_KEY")]
    Headers,
}

impl TargetError {
    /// What is recorded of an attempt that failed like this. A worker whose `SECRET_KEY` is wrong must not bury what
    /// others can send: such an attempt is tried again.
    #[must_use]
    pub fn report(self) -> SendReport {
        let report = SendReport::unreadable(&self.to_string());
        match self {
            Self::Gone | Self::Address => report,
            Self::Secret | Self::Headers => SendReport { result: SendResult::Failed, ..report },
        }
    }
}

/// Opens a row. The secret of a deleted endpoint is wiped.
pub(super) fn open(keys: &Keys, row: &TargetRow) -> Result<WebhookTarget, TargetError> {
    if row.sealed_secret.is_empty() {
        return Err(TargetError::Gone);
    }
    let url = row.url.parse().map_err(|_| TargetError::Address)?;
    let secret = keys
        .open(&context(b"endpoint-secret:", row.id), &row.sealed_secret)
        .map_err(|_| TargetError::Secret)?;
    let signing: SigningKeys =
        std::str::from_utf8(&secret).ok().and_then(|text| text.parse().ok()).ok_or(TargetError::Secret)?;
    let headers = match &row.sealed_headers {
        Some(sealed) => open_headers(keys, row.id, sealed)?,
        None => CustomHeaders::default(),
    };
    Ok(WebhookTarget::new(url, &headers, signing))
}

fn open_headers(keys: &Keys, id: Uuid, sealed: &[u8]) -> Result<CustomHeaders, TargetError> {
    let plain = keys.open(&context(b"endpoint-headers:", id), sealed).map_err(|_| TargetError::Headers)?;
    let value = serde_json::from_slice(&plain).map_err(|_| TargetError::Headers)?;
    CustomHeaders::parse(&value).map_err(|_| TargetError::Headers)
}

fn context(label: &[u8], id: Uuid) -> Vec<u8> {
    [label, id.as_bytes().as_slice()].concat()
}
