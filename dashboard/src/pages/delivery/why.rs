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
        Some(wait) => {
            format!("Accepted and stored. Its receiver asked to slow down; the first attempt follows {wait}.")
        }
        None if row.due_at > now.0 => {
            format!("Accepted and stored. The first attempt is due {}.", when(row.due_at, now))
        }
        None => "Accepted, stored and due: the next worker with a free slot sends it.".to_owned(),
    }
}

fn failing(row: &DeliveryRow, last: Option<&attempt::Model>, attempts: usize, now: Millis) -> String {
    let failed = format!(
        "Attempt {} of {} failed{}.",
        row.attempts,
        attempts.max(count(row.attempts) + 1),
        cause(last)
    );
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
        DeadReason::WorkerLost => {
            "It was claimed again and again by workers that never came back.".to_owned()
        }
        DeadReason::EndpointDown => "Its whole schedule passed while its endpoint was down.".to_owned(),
        DeadReason::HeldLimit => "More was held for its endpoint, or for longer, than is kept.".to_owned(),
        DeadReason::EndpointDeleted => "Its endpoint was deleted.".to_owned(),
        DeadReason::Unreadable => {
            "The endpoint's stored secret can't be opened with this SECRET_KEY, or the stored row is damaged."
                .to_owned()
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
mod tests;
