//! The sentence that says what holds a delivery or ended it, and what happens next. Pure.

use domain::{
    clock::Millis,
    delivery::{DeadReason, LaneState},
};
use entity::attempt;

use crate::{
    queries::deliveries::DeliveryRow,
    show::{moment::Moment, number::microseconds, standing::Standing},
};

/// Says where `row` stands and what comes next. `attempts` is how many the default schedule makes.
pub(super) fn why(row: &DeliveryRow, last: Option<&attempt::Model>, attempts: usize, now: Millis) -> String {
    match Standing::of(row, now) {
        Standing::Pending => pending(row, now),
        Standing::Failing => failing(row, last, attempts, now),
        Standing::Held => held(row),
        Standing::Sending => sending(row, now),
        Standing::Succeeded => succeeded(row, last),
        Standing::Dead => dead(row, last),
        Standing::Cancelled => cancelled(row),
    }
}

fn pending(row: &DeliveryRow, now: Millis) -> String {
    match blocked(row, now) {
        Some(wait) => format!("Accepted and stored. Its receiver asked to slow down; the first attempt follows {wait}."),
        None if row.due_at > now.0 => format!("Accepted and stored. The first attempt is due {}.", when(row.due_at, now)),
        None => "Accepted, stored and due: the next worker with a free slot sends it.".to_owned(),
    }
}

fn failing(row: &DeliveryRow, last: Option<&attempt::Model>, attempts: usize, now: Millis) -> String {
    let failed = format!("Attempt {} of {} failed{}.", row.attempts, attempts.max(count(row.attempts) + 1), cause(last));
    match blocked(row, now) {
        Some(wait) => format!("{failed} Its receiver asked to slow down; the next attempt follows {wait}."),
        None if row.due_at > now.0 => format!("{failed} The next one is due {}.", when(row.due_at, now)),
        None => format!("{failed} The next one is due now and waits for a free slot."),
    }
}

fn held(row: &DeliveryRow) -> String {
    match row.lane_state.as_deref().map(str::parse) {
        Some(Ok(LaneState::Disabled)) => {
            "Held: its endpoint is disabled, because it answered 410 or failed for days. It is sent once the endpoint is resumed."
        }
        _ => "Held: its endpoint is paused and the schedule's clock stands still. It is sent once the endpoint is resumed.",
    }
    .to_owned()
}

fn sending(row: &DeliveryRow, now: Millis) -> String {
    format!(
        "A worker is sending it: attempt {}. If the worker is lost, another one takes over {}.",
        row.attempts + 1,
        when(row.lease_until, now)
    )
}

fn succeeded(row: &DeliveryRow, last: Option<&attempt::Model>) -> String {
    let number = match row.attempts {
        1 => "the first attempt".to_owned(),
        number => format!("attempt {number}"),
    };
    match last.and_then(|last| last.status_code.map(|status| (status, last.duration_us))) {
        Some((status, took)) => {
            format!("Delivered by {number}: the receiver answered {status} within {}.", microseconds(took))
        }
        None => format!("Delivered by {number}."),
    }
}

fn dead(row: &DeliveryRow, last: Option<&attempt::Model>) -> String {
    let Some(Ok(reason)) = row.reason.as_deref().map(str::parse) else {
        return "Given up on. It stays in the dead letters.".to_owned();
    };
    let ended = match reason {
        DeadReason::ScheduleSpent => match row.attempts {
            1 => format!("Its only attempt failed{}.", cause(last)),
            attempts => format!("All {attempts} attempts of its schedule failed{}.", last_cause(last)),
        },
        DeadReason::Gone => "The receiver answered 410 Gone, so its endpoint was disabled.".to_owned(),
        DeadReason::Rejected => format!("The receiver will never accept this{}.", last_cause(last)),
        DeadReason::WorkerLost => "It was claimed again and again by workers that never came back.".to_owned(),
        DeadReason::EndpointDown => "Its whole schedule passed while its endpoint was down.".to_owned(),
        DeadReason::HeldLimit => "More was held for its endpoint, or for longer, than is kept.".to_owned(),
        DeadReason::EndpointDeleted => "Its endpoint was deleted.".to_owned(),
        DeadReason::Unreadable => {
            "The endpoint's stored secret can't be opened with this SECRET_KEY, or the stored row is damaged.".to_owned()
        }
    };
    format!("{ended} It stays in the dead letters and is not sent again by itself.")
}

fn cancelled(row: &DeliveryRow) -> String {
    match row.reason.as_deref().map(str::parse) {
        Some(Ok(DeadReason::EndpointDeleted)) => "Called off, because its endpoint was deleted.".to_owned(),
        _ => "Called off by its owner. It is not sent again by itself.".to_owned(),
    }
}

fn blocked(row: &DeliveryRow, now: Millis) -> Option<String> {
    let until = row.blocked_until.filter(|until| *until > now.0 && *until > row.due_at)?;
    Some(when(until, now))
}

fn when(at: i64, now: Millis) -> String {
    Moment::new(Millis(at), now).relative()
}

fn cause(last: Option<&attempt::Model>) -> String {
    said(last).map(|cause| format!(": {cause}")).unwrap_or_default()
}

fn last_cause(last: Option<&attempt::Model>) -> String {
    said(last).map(|cause| format!(" (last: {cause})")).unwrap_or_default()
}

fn said(last: Option<&attempt::Model>) -> Option<String> {
    let last = last?;
    match (last.status_code, last.error.as_deref(), last.error_class.as_deref()) {
        (Some(status), ..) => Some(format!("the receiver answered {status}")),
        (None, Some(error), _) => Some(error.trim_end_matches('.').to_owned()),
        (None, None, class) => class.map(str::to_owned),
    }
}

fn count(attempts: i32) -> usize {
    usize::try_from(attempts).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::queries::deliveries::sample;

    const NOW: Millis = Millis(1_000_000);

    fn answered(status: i16) -> attempt::Model {
        attempt::Model {
            id: Uuid::nil(),
            delivery_id: Uuid::nil(),
            number: 1,
            claim: 1,
            started_at: 0,
            duration_us: 12_345,
            resolve_us: None,
            connect_us: None,
            first_byte_us: None,
            status_code: Some(status),
            error_class: None,
            error: None,
            request_headers: String::new(),
            response_headers: None,
            response_body: None,
        }
    }

    fn tell(row: &DeliveryRow, last: Option<&attempt::Model>) -> String {
        why(row, last, 10, NOW)
    }

    #[test]
    fn a_waiting_delivery_says_what_it_waits_for() {
        assert_eq!(tell(&sample(), None), "Accepted, stored and due: the next worker with a free slot sends it.");
        let later = DeliveryRow { due_at: NOW.0 + 60_000, ..sample() };
        assert_eq!(tell(&later, None), "Accepted and stored. The first attempt is due in 1 min.");
        let blocked = DeliveryRow { blocked_until: Some(NOW.0 + 30_000), ..sample() };
        assert_eq!(
            tell(&blocked, None),
            "Accepted and stored. Its receiver asked to slow down; the first attempt follows in 30 s."
        );
        let sending = DeliveryRow { lease_until: NOW.0 + 45_000, ..sample() };
        assert_eq!(
            tell(&sending, None),
            "A worker is sending it: attempt 1. If the worker is lost, another one takes over in 45 s."
        );
    }

    #[test]
    fn a_failing_delivery_says_what_went_wrong_and_what_comes_next() {
        let row = DeliveryRow { attempts: 2, due_at: NOW.0 + 300_000, ..sample() };
        assert_eq!(
            tell(&row, Some(&answered(503))),
            "Attempt 2 of 10 failed: the receiver answered 503. The next one is due in 5 min."
        );
        let refused = attempt::Model {
            status_code: None,
            error_class: Some("refused".to_owned()),
            error: Some("nothing listens at 127.0.0.1:9".to_owned()),
            ..answered(0)
        };
        let due = DeliveryRow { attempts: 12, due_at: 0, ..sample() };
        assert_eq!(
            tell(&due, Some(&refused)),
            "Attempt 12 of 13 failed: nothing listens at 127.0.0.1:9. The next one is due now and waits for a free slot."
        );
    }

    #[test]
    fn a_held_delivery_says_who_holds_it() {
        let held = |state: &str| tell(&DeliveryRow { lane_state: Some(state.to_owned()), ..sample() }, None);
        assert!(held("paused").starts_with("Held: its endpoint is paused"));
        assert!(held("disabled").starts_with("Held: its endpoint is disabled"));
    }

    #[test]
    fn a_finished_delivery_says_how_it_ended() {
        let ended = |state: &str, reason: Option<&str>| DeliveryRow {
            state: Some(state.to_owned()),
            reason: reason.map(str::to_owned),
            attempts: 1,
            ..sample()
        };
        assert_eq!(
            tell(&ended("succeeded", None), Some(&answered(204))),
            "Delivered by the first attempt: the receiver answered 204 within 12.3 ms."
        );
        assert_eq!(
            tell(&ended("dead", Some("schedule_spent")), Some(&answered(500))),
            "Its only attempt failed: the receiver answered 500. It stays in the dead letters and is not sent again by \
             itself."
        );
        assert!(tell(&ended("cancelled", None), None).starts_with("Called off by its owner."));
        assert!(tell(&ended("dead", Some("a later word")), None).starts_with("Given up on."));
    }

    #[test]
    fn every_reason_has_a_sentence() {
        for reason in DeadReason::ALL {
            let row =
                DeliveryRow { state: Some("dead".to_owned()), reason: Some(reason.to_string()), attempts: 3, ..sample() };
            assert!(tell(&row, None).ends_with("not sent again by itself."), "{reason}");
        }
    }
}
