//! Explains in a sentence or two why a delivery waits or how it ended, and what happens next. Pure: the API and the dashboard
//! show the same text, and neither may replace it with its own.

use super::{DeadReason, DisplayStatus, LaneState};
use crate::{
    clock::Millis,
    duration_format::{microseconds, relative},
};

/// The facts that the explanation depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The displayed status.
    pub status: DisplayStatus,
    /// Why it ended, as the word of a [`DeadReason`].
    pub reason: Option<&'a str>,
    /// Number of attempts recorded so far.
    pub attempts: i32,
    /// Position in the retry schedule, from 0. Zero after attempts means that a retry was requested.
    pub position: i32,
    /// Number of attempts in its schedule.
    pub scheduled: usize,
    /// When it was accepted.
    pub created_at: Millis,
    /// When it is due.
    pub due_at: Millis,
    /// When the lease of its worker ends.
    pub lease_until: Millis,
    /// The state of its lane.
    pub lane: LaneFacts<'a>,
    /// The last attempt, if there was one.
    pub last: Option<LastAttempt<'a>>,
    /// The current time.
    pub now: Millis,
}

/// The state of a delivery's lane. The default is an active lane without limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneFacts<'a> {
    /// Its state; none when the lane no longer exists.
    pub state: Option<LaneState>,
    /// Why it was disabled.
    pub off_reason: Option<&'a str>,
    /// Nothing is sent before this time, in ms.
    pub blocked_until: i64,
    /// Failed sends in a row.
    pub failures: i32,
    /// 0: the breaker is closed. Otherwise it is open until this time (ms) and half-open afterwards.
    pub breaker_until: i64,
    /// Deliveries due by this time (ms) drain at a bounded rate; 0: nothing drains.
    pub drain_before: i64,
    /// Most sends per second.
    pub rate_limit: Option<i32>,
    /// Most concurrent sends.
    pub max_in_flight: Option<i32>,
}

/// The outcome of the last attempt.
#[derive(Clone, Copy, Debug)]
pub struct LastAttempt<'a> {
    /// The HTTP status of the response.
    pub status_code: Option<i16>,
    /// The error message.
    pub error: Option<&'a str>,
    /// The word of an `ErrorClass`.
    pub error_class: Option<&'a str>,
    /// How long it took, in µs.
    pub duration_us: i64,
}

/// Explains the status of a delivery and what happens next, in a sentence or two.
#[must_use]
pub fn explain(facts: &Facts<'_>) -> String {
    match facts.status {
        DisplayStatus::Pending => pending(facts),
        DisplayStatus::Held => held(&facts.lane).to_owned(),
        DisplayStatus::Sending => sending(facts),
        DisplayStatus::Succeeded => succeeded(facts),
        DisplayStatus::Dead => dead(facts),
        DisplayStatus::Cancelled => cancelled(facts).to_owned(),
    }
}

/// Returns when the next attempt is due; none while the delivery is held, being sent or finished.
#[must_use]
pub fn next_attempt(facts: &Facts<'_>) -> Option<Millis> {
    let lane = Millis(facts.lane.blocked_until.max(facts.lane.breaker_until));
    (facts.status == DisplayStatus::Pending).then(|| facts.due_at.max(lane))
}

fn pending(facts: &Facts<'_>) -> String {
    let (lane, now) = (&facts.lane, facts.now);
    if lane.breaker_until > now.0 {
        let probe = relative(Millis(lane.breaker_until), now);
        return format!(
            "The endpoint's circuit breaker is open after {} consecutive failures. The next probe is due {probe}.",
            lane.failures
        );
    }
    format!("{} {}", so_far(facts), next(facts))
}

/// Says what happened so far.
fn so_far(facts: &Facts<'_>) -> String {
    let made = facts.attempts;
    match (made, facts.position) {
        (..=0, _) if is_scheduled_for_later(facts) => {
            "Accepted and stored, scheduled for later delivery.".to_owned()
        }
        (..=0, _) => "Accepted and stored.".to_owned(),
        (_, 0) => {
            format!("Retry requested after {}{}.", failed_attempts(made), cause(facts))
        }
        _ => format!("Attempt {made} of {} failed{}.", total_attempts(facts), cause(facts)),
    }
}

/// Says what the next attempt waits for; the strongest reason comes first.
fn next(facts: &Facts<'_>) -> String {
    let (lane, now) = (&facts.lane, facts.now);
    let attempt = if facts.attempts > 0 { "next" } else { "first" };
    if lane.breaker_until > 0 {
        let failures = lane.failures;
        return format!(
            "The endpoint's circuit breaker is half-open after {failures} consecutive failures: one probe at a time is sent \
             until one succeeds."
        );
    }
    if lane.blocked_until > now.0 && lane.blocked_until > facts.due_at.0 {
        let until = relative(Millis(lane.blocked_until), now);
        return format!("The receiver asked to slow down; the {attempt} attempt is due {until}.");
    }
    if facts.due_at > now {
        return format!("The {attempt} attempt is due {}.", relative(facts.due_at, now));
    }
    if lane.drain_before >= facts.due_at.0 && lane.drain_before > 0 {
        return format!(
            "The endpoint was resumed and its backlog drains at a limited rate; the {attempt} attempt waits for its turn."
        );
    }
    match (lane.rate_limit, lane.max_in_flight) {
        (Some(rate), _) => {
            format!("It is due and waits for the endpoint's rate limit of {rate} per second.")
        }
        (None, Some(most)) => {
            format!("It is due and waits for the endpoint's concurrency limit of {most}.")
        }
        (None, None) => "It is due: the next worker with a free slot sends it.".to_owned(),
    }
}

fn is_scheduled_for_later(facts: &Facts<'_>) -> bool {
    facts.due_at > facts.created_at && facts.due_at > facts.now
}

fn held(lane: &LaneFacts<'_>) -> &'static str {
    match (lane.state, lane.off_reason) {
        (Some(LaneState::Deleted), _) => {
            "Held: the endpoint was deleted. The delivery will be cancelled shortly."
        }
        (Some(LaneState::Disabled), Some("gone")) => {
            "Held: the endpoint answered 410 Gone and was disabled. The delivery is sent when the endpoint is resumed."
        }
        (Some(LaneState::Disabled), Some("failing")) => {
            "Held: the endpoint failed for days without a success and was disabled. The delivery is sent when the endpoint is resumed."
        }
        (Some(LaneState::Disabled), _) => {
            "Held: the endpoint is disabled. The delivery is sent when the endpoint is resumed."
        }
        _ => {
            "Held: the endpoint is paused, and its pause does not count against the retry schedule. The delivery is sent when the endpoint is resumed."
        }
    }
}

fn sending(facts: &Facts<'_>) -> String {
    let attempt = facts.attempts + 1;
    let takeover = relative(facts.lease_until, facts.now);
    format!(
        "A worker is sending attempt {attempt}. If that worker is lost, another one takes over {takeover}."
    )
}

fn succeeded(facts: &Facts<'_>) -> String {
    let number = match facts.attempts {
        1 => "the first attempt".to_owned(),
        number => format!("attempt {number}"),
    };
    match facts.last.and_then(|last| last.status_code.map(|status| (status, last.duration_us))) {
        Some((status, took)) => {
            format!("Delivered on {number}: the receiver answered {status} within {}.", microseconds(took))
        }
        None => format!("Delivered on {number}."),
    }
}

fn dead(facts: &Facts<'_>) -> String {
    let Some(Ok(reason)) = facts.reason.map(str::parse) else {
        return "Delivery failed permanently. It is kept as a dead letter.".to_owned();
    };
    format!("{} It is kept as a dead letter and is not retried automatically.", ended(reason, facts))
}

fn ended(reason: DeadReason, facts: &Facts<'_>) -> String {
    match reason {
        DeadReason::ScheduleSpent if facts.attempts == 1 => {
            format!("The only attempt failed{}.", cause(facts))
        }
        DeadReason::ScheduleSpent => {
            format!("All {} attempts of the retry schedule failed{}.", facts.attempts, last_cause(facts))
        }
        DeadReason::Rejected => format!("The receiver rejected it permanently{}.", last_cause(facts)),
        DeadReason::Gone => "The receiver answered 410 Gone, and the endpoint was disabled.".to_owned(),
        DeadReason::Unsubscribed => {
            "The recipient has unsubscribed: the push subscription is gone, or the chat no longer accepts messages from the bot."
                .to_owned()
        }
        DeadReason::WorkerLost => {
            "It was claimed repeatedly by workers that stopped without recording a result.".to_owned()
        }
        DeadReason::EndpointDown => "The endpoint was down for the whole retry schedule.".to_owned(),
        DeadReason::HeldLimit => "It exceeded the number of deliveries held for the endpoint, or the time they are held.".to_owned(),
        DeadReason::EndpointDeleted => "The endpoint was deleted.".to_owned(),
        DeadReason::Unreadable => {
            "The endpoint's stored secret can't be opened with this SECRET_KEY, or the stored row is damaged."
                .to_owned()
        }
    }
}

fn cancelled(facts: &Facts<'_>) -> &'static str {
    match facts.reason.map(str::parse) {
        Some(Ok(DeadReason::EndpointDeleted)) => "Cancelled because the endpoint was deleted.",
        _ => "Cancelled by the owner. It is not sent again automatically.",
    }
}

/// Returns the total number of attempts if every remaining one fails.
fn total_attempts(facts: &Facts<'_>) -> i64 {
    let scheduled = i64::try_from(facts.scheduled).unwrap_or(i64::MAX);
    let to_come = scheduled.saturating_sub(i64::from(facts.position)).max(1);
    i64::from(facts.attempts).saturating_add(to_come)
}

fn failed_attempts(made: i32) -> String {
    if made == 1 { "1 failed attempt".to_owned() } else { format!("{made} failed attempts") }
}

fn cause(facts: &Facts<'_>) -> String {
    last_error(facts).map(|cause| format!(": {cause}")).unwrap_or_default()
}

fn last_cause(facts: &Facts<'_>) -> String {
    last_error(facts).map(|cause| format!(" (last: {cause})")).unwrap_or_default()
}

fn last_error(facts: &Facts<'_>) -> Option<String> {
    let last = facts.last?;
    match (last.status_code, last.error, last.error_class) {
        (Some(status), ..) => Some(format!("the receiver answered {status}")),
        (None, Some(error), _) => Some(error.trim_end_matches('.').to_owned()),
        (None, None, class) => class.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
