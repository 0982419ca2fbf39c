//! A delivery in the response of `GET /v1/events/{id}`.

use domain::{
    clock::Millis,
    delivery::{Channel, DisplayStatus},
    id::DeliveryId,
};
use entity::event::queries::DeliveryOfEvent;
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct DeliveryOut {
    id: DeliveryId,
    /// None where the recipient is no endpoint.
    endpoint_id: Option<Uuid>,
    channel: String,
    state: DisplayStatus,
    reason: Option<String>,
    attempts: i32,
    next_attempt_at: Option<String>,
    created_at: String,
    finished_at: Option<String>,
}

impl From<DeliveryOfEvent> for DeliveryOut {
    fn from(row: DeliveryOfEvent) -> Self {
        Self {
            id: row.id.into(),
            endpoint_id: (row.channel == Channel::Webhook.as_str()).then_some(row.recipient_id),
            state: status(&row),
            next_attempt_at: next_attempt(&row).map(Millis::rfc3339),
            channel: row.channel,
            reason: row.reason,
            attempts: row.attempts,
            created_at: Millis(row.created_at).rfc3339(),
            finished_at: row.finished_at.map(|at| Millis(at).rfc3339()),
        }
    }
}

fn status(row: &DeliveryOfEvent) -> DisplayStatus {
    if let Some(ended) = &row.state {
        return DisplayStatus::finished(ended);
    }
    let lane = row.lane_state.as_deref().and_then(|word| word.parse().ok());
    DisplayStatus::under_way(Millis(row.lease_until.unwrap_or(0)), lane, Millis(row.now))
}

/// The earliest that it can be sent; none unless it is pending.
fn next_attempt(row: &DeliveryOfEvent) -> Option<Millis> {
    if status(row) != DisplayStatus::Pending {
        return None;
    }
    [row.due_at, row.blocked_until, row.breaker_until].into_iter().flatten().max().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> DeliveryOfEvent {
        DeliveryOfEvent {
            id: Uuid::nil(),
            recipient_id: Uuid::nil(),
            channel: "webhook".into(),
            state: None,
            reason: None,
            attempts: 1,
            due_at: Some(500),
            lease_until: Some(0),
            lane_state: Some("active".into()),
            blocked_until: Some(0),
            breaker_until: Some(0),
            created_at: 1,
            finished_at: None,
            now: 100,
        }
    }

    fn status_and_next(row: &DeliveryOfEvent) -> (&str, Option<i64>) {
        (status(row).as_str(), next_attempt(row).map(|at| at.0))
    }

    #[test]
    fn a_state_is_called_by_what_holds_it() {
        assert_eq!(status_and_next(&row()), ("pending", Some(500)));
        assert_eq!(
            status_and_next(&DeliveryOfEvent { blocked_until: Some(700), ..row() }),
            ("pending", Some(700))
        );
        assert_eq!(
            status_and_next(&DeliveryOfEvent { breaker_until: Some(900), ..row() }),
            ("pending", Some(900))
        );
        assert_eq!(status_and_next(&DeliveryOfEvent { lane_state: None, ..row() }), ("pending", Some(500)));
        assert_eq!(
            status_and_next(&DeliveryOfEvent { lease_until: Some(100), ..row() }),
            ("pending", Some(500))
        );
        for lane in ["paused", "disabled", "deleted"] {
            let held = DeliveryOfEvent { lane_state: Some(lane.into()), ..row() };
            assert_eq!(status_and_next(&held), ("held", None), "{lane}");
            assert_eq!(
                status_and_next(&DeliveryOfEvent { lease_until: Some(101), ..held }),
                ("sending", None)
            );
        }
        assert_eq!(
            status_and_next(&DeliveryOfEvent { state: Some("dead".into()), due_at: None, ..row() }),
            ("dead", None)
        );
    }
}
