//! What each member of an endpoint may be. Every error is the rule that does not hold; callers put the field before it.

use std::{ops::RangeInclusive, time::Duration};

use channels::guard::Guard;
use domain::{
    delivery::RetrySchedule,
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl, WrittenJson},
    event_type::EventTypeRef,
    id::{EventTypeId, UserId},
    problem::FieldError,
    signature::{Signing, SigningSecret},
};
use serde_json::Value;

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 1_024;
/// Most event types that one endpoint registers for.
const MAX_EVENT_TYPES: usize = 100;
/// Allowed values of `rate_limit` (per second) and `max_in_flight`.
pub(crate) const LIMIT: RangeInclusive<i32> = 1..=10_000;
/// Deadline of an attempt, in ms.
pub(crate) const TIMEOUT_MS: RangeInclusive<i32> = 1_000..=60_000;

type Checked<T> = Result<T, String>;

pub(crate) fn text(value: &Value) -> Checked<&str> {
    value.as_str().ok_or_else(|| "must be a string".into())
}

pub(crate) fn event_type_id(value: &Value) -> Checked<EventTypeId> {
    text(value)?.parse().map_err(|_| "is not a UUID".into())
}

pub(crate) fn user_id(value: &Value) -> Checked<UserId> {
    match value {
        Value::Number(number) => {
            number.as_i64().map(UserId).ok_or_else(|| "must be an integer of at most 64 bits".to_owned())
        }
        _ => Err("must be an integer".into()),
    }
}

pub(crate) fn url(value: &Value, guard: &Guard) -> Checked<EndpointUrl> {
    let url = EndpointUrl::parse(text(value)?).map_err(|wrong| wrong.to_string())?;
    guard.check_literal(url.url()).map_err(|wrong| wrong.to_string())?;
    Ok(url)
}

pub(crate) fn headers(value: &Value) -> Checked<CustomHeaders> {
    CustomHeaders::parse(value).map_err(|wrong| wrong.to_string())
}

/// A custom payload, and metadata, too: the same kind of thing within the same bounds.
pub(crate) fn object(written: &WrittenJson) -> Checked<CustomPayload> {
    CustomPayload::parse(written).map_err(|wrong| wrong.to_string())
}

pub(crate) fn description(value: &Value) -> Checked<String> {
    let text = text(value)?;
    match text.chars().nth(MAX_DESCRIPTION) {
        Some(_) => Err(format!("has more than {MAX_DESCRIPTION} characters")),
        None => Ok(text.to_owned()),
    }
}

pub(crate) fn secret(value: &Value) -> Checked<SigningSecret> {
    text(value)?.parse().map_err(|wrong: domain::signature::SecretError| wrong.to_string())
}

pub(crate) fn signing(value: &Value) -> Checked<Signing> {
    text(value)?.parse().map_err(|_| "must be hmac or ed25519".into())
}

pub(crate) fn whole(value: &Value, bounds: RangeInclusive<i32>) -> Checked<i32> {
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    let rule = || format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
    number.filter(|number| bounds.contains(number)).ok_or_else(rule)
}

/// Waits in whole seconds, as the JSON text that is stored.
pub(crate) fn schedule(value: &Value) -> Checked<String> {
    const SHAPE: &str = "must be an array of 1 to 20 waits, each a whole number of seconds";
    let waits = value.as_array().filter(|waits| !waits.is_empty()).ok_or(SHAPE)?;
    let seconds: Option<Vec<u64>> = waits.iter().map(Value::as_u64).collect();
    let seconds = seconds.ok_or(SHAPE)?;
    RetrySchedule::new(seconds.iter().copied().map(Duration::from_secs).collect())
        .map_err(|e| e.to_string())?;
    Ok(value.to_string())
}

pub(crate) fn event_types(value: &Value) -> Checked<Vec<EventTypeRef>> {
    let shape = || format!("must be an array of 1 to {MAX_EVENT_TYPES} names or ids");
    let named =
        value.as_array().filter(|named| (1..=MAX_EVENT_TYPES).contains(&named.len())).ok_or_else(shape)?;
    let read = |(index, one): (usize, &Value)| {
        let parsed = text(one).ok().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| format!("the one at index {index} is not the name or id of an event type"))
    };
    named.iter().enumerate().map(read).collect()
}

/// The fault of an event type that is not there.
pub(crate) fn unknown_event_type(index: usize) -> FieldError {
    FieldError::new(format!("event_types[{index}]"), "is not the name or id of an event type")
}
