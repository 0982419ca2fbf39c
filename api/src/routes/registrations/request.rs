//! What a registration says, checked field by field; every fault is told at once.

use channels::guard::Guard;
use domain::{
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    id::{EventTypeId, UserId},
    problem::{FieldError, ProblemCode},
};
use serde_json::Value;

use crate::problem::Problem;

/// A registration that keeps the rules. Whether the event type exists is the database's to say.
pub(super) struct Registration {
    pub(super) event_type_id: EventTypeId,
    pub(super) user_id: UserId,
    pub(super) url: EndpointUrl,
    pub(super) headers: CustomHeaders,
    pub(super) payload: Option<CustomPayload>,
}

impl Registration {
    /// Reads the body. Members that are not known are ignored, as the document's service does.
    pub(super) fn read(body: &Value, guard: &Guard) -> Result<Self, Problem> {
        if !body.is_object() {
            return Err(Problem::new(ProblemCode::BadRequest, "the body must be a JSON object"));
        }
        let mut faults = Vec::new();
        let mut note = |field: &str, message: String| faults.push(FieldError::new(field, message));
        let event_type_id = event_type_id(&body["event_type_id"]).map_err(|e| note("event_type_id", e)).ok();
        let user_id = user_id(&body["user_id"]).map_err(|e| note("user_id", e)).ok();
        let url = url(&body["url"], guard).map_err(|e| note("url", e)).ok();
        let headers = CustomHeaders::parse(&body["custom_headers"])
            .map_err(|e| note("custom_headers", e.to_string()))
            .ok();
        let payload = payload(&body["custom_payload"]).map_err(|e| note("custom_payload", e)).ok();
        match (event_type_id, user_id, url, headers, payload) {
            (Some(event_type_id), Some(user_id), Some(url), Some(headers), Some(payload)) => {
                Ok(Self { event_type_id, user_id, url, headers, payload })
            }
            _ => Err(Problem { errors: faults, ..ProblemCode::BadRequest.into() }),
        }
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Null => Err("is missing".into()),
        Value::String(text) => Ok(text),
        _ => Err("must be a string".into()),
    }
}

fn event_type_id(value: &Value) -> Result<EventTypeId, String> {
    text(value)?.parse().map_err(|_| "is not a UUID".into())
}

fn user_id(value: &Value) -> Result<UserId, String> {
    match value {
        Value::Null => Err("is missing".into()),
        Value::Number(number) => {
            number.as_i64().map(UserId).ok_or_else(|| "must be an integer of at most 64 bits".to_owned())
        }
        _ => Err("must be an integer".into()),
    }
}

fn url(value: &Value, guard: &Guard) -> Result<EndpointUrl, String> {
    let url = EndpointUrl::parse(text(value)?).map_err(|wrong| wrong.to_string())?;
    guard.check_literal(url.url()).map_err(|wrong| wrong.to_string())?;
    Ok(url)
}

fn payload(value: &Value) -> Result<Option<CustomPayload>, String> {
    match value {
        Value::Null => Ok(None),
        given => CustomPayload::parse(given).map(Some).map_err(|wrong| wrong.to_string()),
    }
}
