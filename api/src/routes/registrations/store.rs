//! A new endpoint with its lane and its event type, in one transaction. Secrets are sealed before they are written.

use domain::{
    clock::Millis,
    delivery::Channel,
    id::{EndpointId, LaneId},
    signature::SigningSecret,
};
use entity::{endpoint, endpoint_event_type, lane};
use platform::{context::Context, keys::Keys};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, TransactionTrait};

use super::request::Registration;
use crate::routes::endpoint_secrets::{headers_context, secret_context};

/// An endpoint that is about to be.
pub(super) struct NewEndpoint {
    pub(super) id: EndpointId,
    pub(super) wanted: Registration,
    pub(super) created_at: Millis,
    secret: SigningSecret,
}

impl NewEndpoint {
    pub(super) fn of(wanted: Registration, secret: SigningSecret, created_at: Millis) -> Self {
        Self { id: EndpointId::new(), wanted, created_at, secret }
    }

    fn lane(&self) -> lane::ActiveModel {
        lane::ActiveModel {
            id: Set(LaneId::from(self.id).0),
            channel: Set(Channel::Webhook.as_str().to_owned()),
            ..Default::default()
        }
    }

    fn row(&self, keys: &Keys) -> endpoint::ActiveModel {
        let headers = (!self.wanted.headers.is_empty()).then(|| self.wanted.headers.to_value().to_string());
        let secret = self.secret.expose().as_bytes();
        endpoint::ActiveModel {
            id: Set(self.id.0),
            user_id: Set(self.wanted.user_id.0),
            url: Set(self.wanted.url.as_str().to_owned()),
            sealed_headers: Set(headers.map(|text| keys.seal(&headers_context(self.id), text.as_bytes()))),
            custom_payload: Set(self.wanted.payload.as_ref().map(domain::endpoint::CustomPayload::to_json)),
            sealed_secret: Set(keys.seal(&secret_context(self.id), secret)),
            created_at: Set(self.created_at.0),
            updated_at: Set(self.created_at.0),
            ..Default::default()
        }
    }

    fn event_type(&self) -> endpoint_event_type::ActiveModel {
        endpoint_event_type::ActiveModel {
            event_type_id: Set(self.wanted.event_type_id.0),
            endpoint_id: Set(self.id.0),
        }
    }
}

/// Writes it all, or nothing.
pub(super) async fn insert(context: &Context, endpoint: &NewEndpoint) -> Result<(), DbErr> {
    let tx = context.database.writer().begin().await?;
    lane::Entity::insert(endpoint.lane()).exec_without_returning(&tx).await?;
    endpoint::Entity::insert(endpoint.row(&context.keys)).exec_without_returning(&tx).await?;
    endpoint_event_type::Entity::insert(endpoint.event_type()).exec_without_returning(&tx).await?;
    tx.commit().await
}
