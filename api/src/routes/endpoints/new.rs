//! A new endpoint, as it is stored: secrets are sealed before they are written.

use domain::{
    clock::Millis,
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    event_type::EventTypeRef,
    id::{EndpointId, UserId},
    signature::SigningKeys,
};
use entity::endpoint::{Model, create};
use platform::keys::Keys;

use crate::routes::endpoint_secrets::{self, headers_context};

/// An endpoint that is about to be.
pub(crate) struct NewEndpoint {
    pub(crate) id: EndpointId,
    pub(crate) user_id: UserId,
    pub(crate) url: EndpointUrl,
    pub(crate) event_types: Vec<EventTypeRef>,
    pub(crate) headers: CustomHeaders,
    pub(crate) payload: Option<CustomPayload>,
    pub(crate) keys: SigningKeys,
    pub(crate) extras: Extras,
    pub(crate) created_at: Millis,
}

/// What only `/v1` can say of an endpoint.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) description: String,
    pub(crate) rate_limit: Option<i32>,
    pub(crate) max_in_flight: Option<i32>,
    pub(crate) timeout_ms: Option<i32>,
    /// A JSON array of seconds.
    pub(crate) retry_schedule: Option<String>,
    pub(crate) metadata: Option<CustomPayload>,
}

impl NewEndpoint {
    /// It as it is stored.
    pub(crate) fn sealed(&self, keys: &Keys) -> create::NewEndpoint {
        create::NewEndpoint {
            row: self.row(keys),
            rate_limit: self.extras.rate_limit,
            max_in_flight: self.extras.max_in_flight,
            event_types: self.event_types.clone(),
        }
    }

    fn row(&self, keys: &Keys) -> Model {
        Model {
            id: self.id.0,
            user_id: self.user_id.0,
            url: self.url.as_str().to_owned(),
            description: self.extras.description.clone(),
            sealed_headers: seal_headers(keys, self.id, &self.headers),
            custom_payload: self.payload.as_ref().map(CustomPayload::to_json),
            sealed_secret: endpoint_secrets::seal(keys, self.id, &self.keys),
            timeout_ms: self.extras.timeout_ms,
            retry_schedule: self.extras.retry_schedule.clone(),
            metadata: self.extras.metadata.as_ref().map(CustomPayload::to_json),
            created_at: self.created_at.0,
            updated_at: self.created_at.0,
        }
    }
}

/// Custom headers as they are stored; none where there are none.
pub(super) fn seal_headers(keys: &Keys, id: EndpointId, headers: &CustomHeaders) -> Option<Vec<u8>> {
    let text = (!headers.is_empty()).then(|| headers.to_value().to_string())?;
    Some(keys.seal(&headers_context(id), text.as_bytes()))
}
