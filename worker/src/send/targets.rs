//! Endpoints as the sender needs them, opened once, their keys prepared, and kept while their rows stay as they are.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use channels::{SendReport, WebhookTarget};
use domain::{delivery::SendResult, endpoint::CustomHeaders, signature::SigningKeys};
use platform::keys::Keys;
use uuid::Uuid;

use crate::claim::Claimed;

/// Most endpoints kept; when more are in use, it starts afresh.
const KEPT: usize = 10_000;

/// Why an endpoint can't be sent to; no secret is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("its endpoint is gone")]
    Gone,
    #[error("the stored address is damaged")]
    Address,
    #[error("the stored secret can't be opened with this SECRET_KEY")]
    Secret,
    #[error("the stored headers can't be opened with this SECRET_KEY")]
    Headers,
}

impl TargetError {
    /// What is recorded of an attempt that failed like this. A worker whose `SECRET_KEY` is wrong must not bury what
    /// others can send: such an attempt is tried again.
    pub(super) fn report(&self) -> SendReport {
        let report = SendReport::unreadable(&self.to_string());
        match self {
            Self::Gone | Self::Address => report,
            Self::Secret | Self::Headers => SendReport { result: SendResult::Failed, ..report },
        }
    }
}

struct Kept {
    url: String,
    sealed_secret: Vec<u8>,
    sealed_headers: Option<Vec<u8>>,
    target: Arc<WebhookTarget>,
}

/// Opened endpoints by id.
pub(super) struct Targets {
    keys: Keys,
    kept: Mutex<HashMap<Uuid, Kept>>,
}

impl Targets {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, kept: Mutex::default() }
    }

    /// The target of a claimed delivery, opened again when its row has changed.
    pub(super) fn of(&self, claimed: &Claimed) -> Result<Arc<WebhookTarget>, TargetError> {
        let id = claimed.lane_id().0;
        let (Some(url), Some(sealed_secret)) = (&claimed.url, &claimed.sealed_secret) else {
            return Err(TargetError::Gone);
        };
        // Wiped, as its endpoint was deleted.
        if sealed_secret.is_empty() {
            return Err(TargetError::Gone);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.get(&id)
            && kept.url == *url
            && kept.sealed_secret == *sealed_secret
            && kept.sealed_headers == claimed.sealed_headers
        {
            return Ok(Arc::clone(&kept.target));
        }
        let target = Arc::new(self.open(id, url, sealed_secret, claimed.sealed_headers.as_deref())?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(
            id,
            Kept {
                url: url.clone(),
                sealed_secret: sealed_secret.clone(),
                sealed_headers: claimed.sealed_headers.clone(),
                target: Arc::clone(&target),
            },
        );
        Ok(target)
    }

    fn open(
        &self,
        id: Uuid,
        url: &str,
        secret: &[u8],
        headers: Option<&[u8]>,
    ) -> Result<WebhookTarget, TargetError> {
        let url = url.parse().map_err(|_| TargetError::Address)?;
        let secret =
            self.keys.open(&context(b"endpoint-secret:", id), secret).map_err(|_| TargetError::Secret)?;
        let keys: SigningKeys = std::str::from_utf8(&secret)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(TargetError::Secret)?;
        let headers = match headers {
            Some(sealed) => self.headers(id, sealed)?,
            None => CustomHeaders::default(),
        };
        Ok(WebhookTarget::new(url, &headers, keys))
    }

    fn headers(&self, id: Uuid, sealed: &[u8]) -> Result<CustomHeaders, TargetError> {
        let plain =
            self.keys.open(&context(b"endpoint-headers:", id), sealed).map_err(|_| TargetError::Headers)?;
        let value = serde_json::from_slice(&plain).map_err(|_| TargetError::Headers)?;
        CustomHeaders::parse(&value).map_err(|_| TargetError::Headers)
    }
}

fn context(label: &[u8], id: Uuid) -> Vec<u8> {
    [label, id.as_bytes().as_slice()].concat()
}
