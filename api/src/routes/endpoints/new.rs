//! A new endpoint with its lane and its event types. Secrets are sealed before they are written.

use domain::{
    clock::Millis,
    delivery::Channel,
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    event_type::EventTypeRef,
    id::{EndpointId, LaneId, UserId},
    signature::SigningKeys,
};
use entity::{endpoint, lane};
use platform::{context::Context, keys::Keys};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, TransactionTrait};

use super::types::{self, WriteError};
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
    /// Writes it all in one transaction, or nothing.
    pub(crate) async fn store(&self, context: &Context) -> Result<(), WriteError> {
        let tx = context.database.writer().begin().await?;
        self.insert(&tx, &context.keys).await?;
        Ok(tx.commit().await?)
    }

    /// Writes it all into a transaction of the caller's.
    pub(super) async fn insert(&self, tx: &impl ConnectionTrait, keys: &Keys) -> Result<(), WriteError> {
        lane::Entity::insert(self.lane()).exec_without_returning(tx).await?;
        endpoint::Entity::insert(self.row(keys)).exec_without_returning(tx).await?;
        types::register(tx, (self.id, self.user_id), &self.event_types, self.created_at).await
    }

    fn lane(&self) -> lane::ActiveModel {
        lane::ActiveModel {
            id: Set(LaneId::from(self.id).0),
            channel: Set(Channel::Webhook.as_str().to_owned()),
            rate_limit: Set(self.extras.rate_limit),
            max_in_flight: Set(self.extras.max_in_flight),
            ..Default::default()
        }
    }

    fn row(&self, keys: &Keys) -> endpoint::ActiveModel {
        endpoint::ActiveModel {
            id: Set(self.id.0),
            user_id: Set(self.user_id.0),
            url: Set(self.url.as_str().to_owned()),
            description: Set(self.extras.description.clone()),
            sealed_headers: Set(seal_headers(keys, self.id, &self.headers)),
            custom_payload: Set(self.payload.as_ref().map(CustomPayload::to_json)),
            sealed_secret: Set(endpoint_secrets::seal(keys, self.id, &self.keys)),
            timeout_ms: Set(self.extras.timeout_ms),
            retry_schedule: Set(self.extras.retry_schedule.clone()),
            metadata: Set(self.extras.metadata.as_ref().map(CustomPayload::to_json)),
            created_at: Set(self.created_at.0),
            updated_at: Set(self.created_at.0),
        }
    }
}

/// Custom headers as they are stored; none where there are none.
pub(super) fn seal_headers(keys: &Keys, id: EndpointId, headers: &CustomHeaders) -> Option<Vec<u8>> {
    let text = (!headers.is_empty()).then(|| headers.to_value().to_string())?;
    Some(keys.seal(&headers_context(id), text.as_bytes()))
}
