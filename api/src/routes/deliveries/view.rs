//! A delivery as callers see it.

use domain::{
    clock::Millis,
    delivery::{Channel, RetrySchedule, explain, next_attempt},
    id::{DeliveryId, EndpointId, EventId, UserId},
};
use entity::{attempt, delivery::queries::Row};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A delivery in a list.
#[derive(Serialize)]
pub(crate) struct ListedOut {
    id: DeliveryId,
    event_id: EventId,
    endpoint_id: Option<EndpointId>,
    recipient_id: Uuid,
    user_id: Option<UserId>,
    channel: String,
    #[serde(rename = "type")]
    event_type: Option<String>,
    state: &'static str,
    reason: Option<String>,
    attempt_count: i32,
    next_attempt_at: Option<String>,
    created_at: String,
    finished_at: Option<String>,
}

/// A delivery on its own.
#[derive(Serialize)]
pub(crate) struct DeliveryOut {
    #[serde(flatten)]
    listed: ListedOut,
    why: String,
    attempts: Vec<AttemptOut>,
}

#[derive(Serialize)]
struct AttemptOut {
    number: i32,
    started_at: String,
    duration_ms: f64,
    status_code: Option<i16>,
    error_class: Option<String>,
    response_headers: Option<Box<RawValue>>,
    response_body: Option<String>,
    request_headers: Option<Box<RawValue>>,
    timing: TimingOut,
}

/// Milliseconds; none where it was not measured, such as the connect of a reused connection.
#[derive(Serialize)]
struct TimingOut {
    resolve_ms: Option<f64>,
    connect_ms: Option<f64>,
    first_byte_ms: Option<f64>,
    total_ms: f64,
}

impl ListedOut {
    pub(super) fn of(row: Row) -> Self {
        let facts = row.facts(None, 0);
        let (state, next_attempt_at) = (facts.status.as_str(), next_attempt(&facts).map(Millis::rfc3339));
        Self {
            id: row.id.into(),
            event_id: row.event_id.into(),
            endpoint_id: (row.channel == Channel::Webhook.as_str()).then(|| row.recipient_id.into()),
            recipient_id: row.recipient_id,
            user_id: row.user_id.map(UserId),
            channel: row.channel,
            event_type: row.event_type,
            state,
            reason: row.reason,
            attempt_count: row.attempts,
            next_attempt_at,
            created_at: Millis(row.created_at).rfc3339(),
            finished_at: row.finished_at.map(|at| Millis(at).rfc3339()),
        }
    }
}

impl DeliveryOut {
    /// `attempts` come newest first; `scheduled` is how many the default schedule makes.
    pub(super) fn of(row: Row, attempts: Vec<attempt::Model>, scheduled: usize) -> Self {
        let scheduled = own_schedule(&row).unwrap_or(scheduled);
        let why = explain(&row.facts(attempts.first(), scheduled));
        let attempts = attempts.into_iter().rev().map(AttemptOut::of).collect();
        Self { listed: ListedOut::of(row), why, attempts }
    }
}

impl AttemptOut {
    fn of(row: attempt::Model) -> Self {
        Self {
            number: row.number,
            started_at: Millis(row.started_at).rfc3339(),
            duration_ms: milliseconds(row.duration_us),
            status_code: row.status_code,
            error_class: row.error_class,
            response_headers: row.response_headers.and_then(|json| RawValue::from_string(json).ok()),
            response_body: row.response_body.map(|body| String::from_utf8_lossy(&body).into_owned()),
            request_headers: RawValue::from_string(row.request_headers).ok(),
            timing: TimingOut {
                resolve_ms: row.resolve_us.map(milliseconds),
                connect_ms: row.connect_us.map(milliseconds),
                first_byte_ms: row.first_byte_us.map(milliseconds),
                total_ms: milliseconds(row.duration_us),
            },
        }
    }
}

/// How many attempts the endpoint's own schedule makes.
fn own_schedule(row: &Row) -> Option<usize> {
    Some(RetrySchedule::from_seconds(row.retry_schedule.as_deref()?).ok()?.attempts())
}

#[expect(clippy::cast_precision_loss, reason = "an attempt lasts seconds, not centuries")]
fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1e3
}
