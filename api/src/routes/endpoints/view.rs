//! An endpoint as `/v1` shows it. Values of custom headers may be credentials: only their names are shown.

use domain::{
    clock::Millis,
    id::{EndpointId, UserId},
    signature::{Signing, SigningKeys, SigningSecret},
};
use entity::endpoint::{Model, view::EndpointView};
use platform::context::Context;
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::routes::endpoint_secrets::{self, headers_context};

/// Stands for the value of a custom header. No header may have it, so it is never stored by mistake.
const MASK: &str = "••••••••";

#[derive(Serialize)]
pub(crate) struct EndpointOut {
    id: EndpointId,
    user_id: UserId,
    url: String,
    event_types: Vec<String>,
    description: String,
    custom_headers: Option<Map<String, Value>>,
    custom_payload: Option<Box<RawValue>>,
    rate_limit: Option<i32>,
    max_in_flight: Option<i32>,
    timeout_ms: Option<i32>,
    retry_schedule: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    state: String,
    disabled_reason: Option<String>,
    breaker: &'static str,
    signing: Option<Signing>,
    public_key: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl EndpointOut {
    /// The endpoint as it was read.
    pub(super) fn of(context: &Context, view: EndpointView) -> Self {
        let EndpointView { endpoint: row, lane, event_types, now } = view;
        let keys = endpoint_secrets::open(&context.keys, row.id.into(), &row.sealed_secret).ok();
        Self {
            custom_headers: masked(context, &row),
            signing: keys.as_ref().map(SigningKeys::signing),
            public_key: keys.and_then(|keys| keys.public_key()).map(|key| key.to_string()),
            id: row.id.into(),
            user_id: UserId(row.user_id),
            url: row.url,
            event_types,
            description: row.description,
            custom_payload: row.custom_payload.and_then(raw),
            rate_limit: lane.rate_limit,
            max_in_flight: lane.max_in_flight,
            timeout_ms: row.timeout_ms,
            retry_schedule: row.retry_schedule.and_then(raw),
            metadata: row.metadata.and_then(raw),
            state: lane.state,
            disabled_reason: lane.off_reason,
            breaker: breaker(lane.breaker_until, now),
            created_at: Millis(row.created_at).rfc3339(),
            updated_at: Millis(row.updated_at).rfc3339(),
            secret: None,
        }
    }

    /// With its signing secret, for the answer that creates it.
    pub(super) fn with_secret(self, secret: &SigningSecret) -> Self {
        Self { secret: Some(secret.expose().to_owned()), ..self }
    }
}

/// Open until its time is up, then half open: one probe at a time.
const fn breaker(until: i64, now: Millis) -> &'static str {
    match until {
        0 => "closed",
        until if until > now.0 => "open",
        _ => "half_open",
    }
}

fn raw(stored: String) -> Option<Box<RawValue>> {
    RawValue::from_string(stored).ok()
}

/// The names of the headers with their values masked; none when they can't be opened with this `SECRET_KEY`.
fn masked(context: &Context, row: &Model) -> Option<Map<String, Value>> {
    let Some(sealed) = &row.sealed_headers else {
        return Some(Map::new());
    };
    let opened = context.keys.open(&headers_context(row.id.into()), sealed);
    let plain = opened.inspect_err(|error| {
        tracing::error!(endpoint_id = %row.id, %error, "an endpoint's headers cannot be opened");
    });
    let headers: Map<String, Value> = serde_json::from_slice(&plain.ok()?).ok()?;
    Some(headers.into_iter().map(|(name, _)| (name, MASK.into())).collect())
}

#[cfg(test)]
mod tests {
    use domain::{clock::Millis, endpoint::CustomHeaders};
    use serde_json::json;

    use super::{MASK, breaker};

    #[test]
    fn the_breaker_is_open_until_its_time_and_half_open_from_then_on() {
        let now = Millis(1_000);
        assert_eq!(
            [0, 1_001, 1_000, 999, 1].map(|until| breaker(until, now)),
            ["closed", "open", "half_open", "half_open", "half_open"]
        );
    }

    #[test]
    fn the_mask_is_no_value_of_a_header() {
        assert!(CustomHeaders::parse(&json!({"authorization": MASK})).is_err());
    }
}
