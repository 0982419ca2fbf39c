//! The sentence that says what holds a delivery or ended it, and what happens next. Pure: the API and the pages say the
//! same, and neither may put words of its own in its place.

use super::{DeadReason, DisplayStatus, LaneState};
use crate::{
    clock::Millis,
    measure::{microseconds, relative},
};

/// All that the sentence depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What it is called.
    pub standing: DisplayStatus,
    /// Why it ended so, a word of [`DeadReason`].
    pub reason: Option<&'a str>,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// Place in the retry schedule, from 0. Zero after attempts: somebody asked for it to be sent again.
    pub position: i32,
    /// How many attempts its schedule makes.
    pub scheduled: usize,
    /// When it was accepted.
    pub created_at: Millis,
    /// When it is due.
    pub due_at: Millis,
    /// Until when a worker has it.
    pub lease_until: Millis,
    /// What its lane is like.
    pub lane: LaneFacts<'a>,
    /// The last attempt, if there was one.
    pub last: Option<LastAttempt<'a>>,
    /// What time it is.
    pub now: Millis,
}

/// What the lane of a delivery is like. The default is an active one without limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneFacts<'a> {
    /// Its state; none where the lane is gone.
    pub state: Option<LaneState>,
    /// Why it was disabled.
    pub off_reason: Option<&'a str>,
    /// Nothing is sent before this time, in ms.
    pub blocked_until: i64,
    /// Failed sends in a row.
    pub failures: i32,
    /// 0: the breaker is closed. Else it is open until then (ms), and half open from then on.
    pub breaker_until: i64,
    /// What was due by then (ms) drains at a bounded rate; 0: nothing drains.
    pub drain_before: i64,
    /// Most sends a second.
    pub rate_limit: Option<i32>,
    /// Most sends under way.
    pub max_in_flight: Option<i32>,
}

/// What the last attempt came to.
#[derive(Clone, Copy, Debug)]
pub struct LastAttempt<'a> {
    /// The status of the answer.
    pub status_code: Option<i16>,
    /// What went wrong, in words.
    pub error: Option<&'a str>,
    /// A word of `ErrorClass`.
    pub error_class: Option<&'a str>,
    /// How long it took, in µs.
    pub duration_us: i64,
}

/// Says where a delivery stands and what comes next, in a sentence or two.
#[must_use]
pub fn why(facts: &Facts<'_>) -> String {
    match facts.standing {
        DisplayStatus::Pending => pending(facts),
        DisplayStatus::Held => held(&facts.lane).to_owned(),
        DisplayStatus::Sending => sending(facts),
        DisplayStatus::Succeeded => succeeded(facts),
        DisplayStatus::Dead => dead(facts),
        DisplayStatus::Cancelled => cancelled(facts).to_owned(),
    }
}

/// When it is tried next, as far as that is known: none while it is held, being sent or finished.
#[must_use]
pub fn next_attempt(facts: &Facts<'_>) -> Option<Millis> {
    let lane = Millis(facts.lane.blocked_until.max(facts.lane.breaker_until));
    (facts.standing == DisplayStatus::Pending).then(|| facts.due_at.max(lane))
}

fn pending(facts: &Facts<'_>) -> String {
    let (lane, now) = (&facts.lane, facts.now);
    if lane.breaker_until > now.0 {
        let probe = relative(Millis(lane.breaker_until), now);
        return format!(
            "The endpoint failed {} times in a row and is left alone; a probe follows {probe}.",
            lane.failures
        );
    }
    format!("{} {}", so_far(facts), next(facts))
}

/// What has happened to it.
fn so_far(facts: &Facts<'_>) -> String {
    let made = facts.attempts;
    match (made, facts.position) {
        (..=0, _) if waits_by_wish(facts) => "Accepted and stored, to be delivered later.".to_owned(),
        (..=0, _) => "Accepted and stored.".to_owned(),
        (_, 0) => {
            format!("To be sent again by request, after {} that failed{}.", attempts(made), cause(facts))
        }
        _ => format!("Attempt {made} of {} failed{}.", in_all(facts), cause(facts)),
    }
}

/// What it waits for, the strongest first.
fn next(facts: &Facts<'_>) -> String {
    let (lane, now) = (&facts.lane, facts.now);
    let attempt = if facts.attempts > 0 { "next" } else { "first" };
    if lane.breaker_until > 0 {
        let failures = lane.failures;
        return format!(
            "The endpoint failed {failures} times in a row; one probe at a time is sent until one succeeds."
        );
    }
    if lane.blocked_until > now.0 && lane.blocked_until > facts.due_at.0 {
        let until = relative(Millis(lane.blocked_until), now);
        return format!("Its receiver asked to slow down; the {attempt} attempt follows {until}.");
    }
    if facts.due_at > now {
        return format!("The {attempt} attempt is due {}.", relative(facts.due_at, now));
    }
    if lane.drain_before >= facts.due_at.0 && lane.drain_before > 0 {
        return format!(
            "Its endpoint was resumed, and what waited drains slowly; the {attempt} attempt follows in its turn."
        );
    }
    match (lane.rate_limit, lane.max_in_flight) {
        (Some(rate), _) => {
            format!("It is due; its endpoint takes at most {rate} a second, and it waits for its turn.")
        }
        (None, Some(most)) => {
            format!("It is due; its endpoint takes at most {most} at a time, and it waits for its turn.")
        }
        (None, None) => "It is due: the next worker with a free slot sends it.".to_owned(),
    }
}

fn waits_by_wish(facts: &Facts<'_>) -> bool {
    facts.due_at > facts.created_at && facts.due_at > facts.now
}

fn held(lane: &LaneFacts<'_>) -> &'static str {
    match (lane.state, lane.off_reason) {
        (Some(LaneState::Deleted), _) => "Held: its endpoint was deleted. It is cancelled within moments.",
        (Some(LaneState::Disabled), Some("gone")) => {
            "Held: its endpoint answered 410 Gone and is disabled. It is sent once the endpoint is resumed."
        }
        (Some(LaneState::Disabled), Some("failing")) => {
            "Held: its endpoint failed for days without a success and is disabled. It is sent once the endpoint is resumed."
        }
        (Some(LaneState::Disabled), _) => {
            "Held: its endpoint is disabled. It is sent once the endpoint is resumed."
        }
        _ => {
            "Held: its endpoint is paused and the schedule's clock stands still. It is sent once the endpoint is resumed."
        }
    }
}

fn sending(facts: &Facts<'_>) -> String {
    let attempt = facts.attempts + 1;
    let heir = relative(facts.lease_until, facts.now);
    format!(
        "A worker is sending it: attempt {attempt}. If the worker is lost, another one takes over {heir}."
    )
}

fn succeeded(facts: &Facts<'_>) -> String {
    let number = match facts.attempts {
        1 => "the first attempt".to_owned(),
        number => format!("attempt {number}"),
    };
    match facts.last.and_then(|last| last.status_code.map(|status| (status, last.duration_us))) {
        Some((status, took)) => {
            format!("Delivered by {number}: the receiver answered {status} within {}.", microseconds(took))
        }
        None => format!("Delivered by {number}."),
    }
}

fn dead(facts: &Facts<'_>) -> String {
    let Some(Ok(reason)) = facts.reason.map(str::parse) else {
        return "Given up on. It stays in the dead letters.".to_owned();
    };
    format!("{} It stays in the dead letters and is not sent again by itself.", ended(reason, facts))
}

fn ended(reason: DeadReason, facts: &Facts<'_>) -> String {
    match reason {
        DeadReason::ScheduleSpent if facts.attempts == 1 => {
            format!("Its only attempt failed{}.", cause(facts))
        }
        DeadReason::ScheduleSpent => {
            format!("All {} attempts of its schedule failed{}.", facts.attempts, last_cause(facts))
        }
        DeadReason::Rejected => format!("The receiver will never accept this{}.", last_cause(facts)),
        DeadReason::Gone => "The receiver answered 410 Gone, so its endpoint was disabled.".to_owned(),
        DeadReason::Unsubscribed => {
            "Its recipient has left: the push subscription is gone, or the chat takes no messages of the bot."
                .to_owned()
        }
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
    }
}

fn cancelled(facts: &Facts<'_>) -> &'static str {
    match facts.reason.map(str::parse) {
        Some(Ok(DeadReason::EndpointDeleted)) => "Called off, because its endpoint was deleted.",
        _ => "Called off by its owner. It is not sent again automatically.",
    }
}

/// How many attempts there are when each to come fails.
fn in_all(facts: &Facts<'_>) -> i64 {
    let scheduled = i64::try_from(facts.scheduled).unwrap_or(i64::MAX);
    let to_come = scheduled.saturating_sub(i64::from(facts.position)).max(1);
    i64::from(facts.attempts).saturating_add(to_come)
}

fn attempts(made: i32) -> String {
    if made == 1 { "an attempt".to_owned() } else { format!("{made} attempts") }
}

fn cause(facts: &Facts<'_>) -> String {
    said(facts).map(|cause| format!(": {cause}")).unwrap_or_default()
}

fn last_cause(facts: &Facts<'_>) -> String {
    said(facts).map(|cause| format!(" (last: {cause})")).unwrap_or_default()
}

fn said(facts: &Facts<'_>) -> Option<String> {
    let last = facts.last?;
    match (last.status_code, last.error, last.error_class) {
        (Some(status), ..) => Some(format!("the receiver answered {status}")),
        (None, Some(error), _) => Some(error.trim_end_matches('.').to_owned()),
        (None, None, class) => class.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
