//! Every explanation, in full.

use super::*;

const NOW: Millis = Millis(1_000_000);
const IN_A_MINUTE: i64 = NOW.0 + 60_000;

/// Just accepted, due, in an active lane without limits.
fn fresh() -> Facts<'static> {
    Facts {
        status: DisplayStatus::Pending,
        reason: None,
        attempts: 0,
        position: 0,
        scheduled: 10,
        created_at: NOW,
        due_at: NOW,
        lease_until: Millis(0),
        lane: LaneFacts { state: Some(LaneState::Active), ..LaneFacts::default() },
        last: None,
        now: NOW,
    }
}

fn failed() -> Facts<'static> {
    Facts { attempts: 2, position: 2, last: Some(answered(503)), ..fresh() }
}

fn in_lane(facts: Facts<'static>, lane: LaneFacts<'static>) -> Facts<'static> {
    Facts { lane: LaneFacts { state: Some(LaneState::Active), ..lane }, ..facts }
}

fn off(state: LaneState, off_reason: Option<&'static str>) -> Facts<'static> {
    let lane = LaneFacts { state: Some(state), off_reason, ..LaneFacts::default() };
    Facts { status: DisplayStatus::Held, lane, ..fresh() }
}

fn over(status: DisplayStatus, reason: Option<&'static str>, attempts: i32) -> Facts<'static> {
    let last = (attempts > 0).then(|| answered(if status == DisplayStatus::Succeeded { 204 } else { 500 }));
    Facts { status, reason, attempts, last, ..fresh() }
}

const fn answered(status: i16) -> LastAttempt<'static> {
    LastAttempt { status_code: Some(status), error: None, error_class: Some("status"), duration_us: 12_345 }
}

#[test]
fn a_pending_delivery_says_what_it_waits_for_and_what_went_wrong() {
    let lane = LaneFacts::default();
    let breaker = |until| LaneFacts { failures: 12, breaker_until: until, ..lane };
    let nothing_there =
        LastAttempt { status_code: None, error: Some("nothing listens at 127.0.0.1:9."), ..answered(0) };
    let only_a_class = LastAttempt { status_code: None, error_class: Some("timeout"), ..answered(0) };
    for (facts, sentence) in [
        (fresh(), "Accepted and stored. It is due: the next worker with a free slot sends it."),
        (
            Facts { due_at: Millis(IN_A_MINUTE), ..fresh() },
            "Accepted and stored, scheduled for later delivery. The first attempt is due in 1 min.",
        ),
        (
            in_lane(fresh(), LaneFacts { blocked_until: NOW.0 + 30_000, ..lane }),
            "Accepted and stored. The receiver asked to slow down; the first attempt is due in 30 s.",
        ),
        (
            in_lane(failed(), LaneFacts { blocked_until: NOW.0 + 30_000, ..lane }),
            "Attempt 2 of 10 failed: the receiver answered 503. The receiver asked to slow down; the next attempt is due in 30 s.",
        ),
        (
            in_lane(fresh(), breaker(NOW.0 + 28_000)),
            "The endpoint's circuit breaker is open after 12 consecutive failures. The next probe is due in 28 s.",
        ),
        (
            in_lane(fresh(), breaker(NOW.0)),
            "Accepted and stored. The endpoint's circuit breaker is half-open after 12 consecutive failures: one probe at a time is \
             sent until one succeeds.",
        ),
        (
            in_lane(fresh(), LaneFacts { drain_before: NOW.0, rate_limit: Some(5), ..lane }),
            "Accepted and stored. The endpoint was resumed and its backlog drains at a limited rate; the first attempt waits for its turn.",
        ),
        (
            in_lane(fresh(), LaneFacts { drain_before: NOW.0 - 1, rate_limit: Some(5), ..lane }),
            "Accepted and stored. It is due and waits for the endpoint's rate limit of 5 per second.",
        ),
        (
            in_lane(fresh(), LaneFacts { max_in_flight: Some(1), ..lane }),
            "Accepted and stored. It is due and waits for the endpoint's concurrency limit of 1.",
        ),
        (
            Facts { due_at: Millis(NOW.0 + 300_000), ..failed() },
            "Attempt 2 of 10 failed: the receiver answered 503. The next attempt is due in 5 min.",
        ),
        (
            Facts { last: Some(nothing_there), ..failed() },
            "Attempt 2 of 10 failed: nothing listens at 127.0.0.1:9. It is due: the next worker with a free slot sends it.",
        ),
        (
            Facts { last: Some(only_a_class), ..failed() },
            "Attempt 2 of 10 failed: timeout. It is due: the next worker with a free slot sends it.",
        ),
        (
            Facts { attempts: 13, position: 3, last: None, ..fresh() },
            "Attempt 13 of 20 failed. It is due: the next worker with a free slot sends it.",
        ),
        (
            Facts { attempts: 12, position: 12, last: None, ..fresh() },
            "Attempt 12 of 13 failed. It is due: the next worker with a free slot sends it.",
        ),
        (
            Facts { position: 0, ..failed() },
            "Retry requested after 2 failed attempts: the receiver answered 503. It is due: the next worker with a free slot sends it.",
        ),
        (
            Facts { attempts: 1, position: 0, last: None, ..fresh() },
            "Retry requested after 1 failed attempt. It is due: the next worker with a free slot sends it.",
        ),
    ] {
        assert_eq!(explain(&facts), sentence, "{facts:?}");
    }
}

#[test]
fn held_sent_and_finished_deliveries_say_so_and_what_follows() {
    for (facts, sentence) in [
        (
            off(LaneState::Paused, None),
            "Held: the endpoint is paused, and its pause does not count against the retry schedule. The delivery is sent when the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, Some("gone")),
            "Held: the endpoint answered 410 Gone and was disabled. The delivery is sent when the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, Some("failing")),
            "Held: the endpoint failed for days without a success and was disabled. The delivery is sent when the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, None),
            "Held: the endpoint is disabled. The delivery is sent when the endpoint is resumed.",
        ),
        (
            off(LaneState::Deleted, None),
            "Held: the endpoint was deleted. The delivery will be cancelled shortly.",
        ),
        (
            Facts { status: DisplayStatus::Sending, lease_until: Millis(NOW.0 + 45_000), ..failed() },
            "A worker is sending attempt 3. If that worker is lost, another one takes over in 45 s.",
        ),
        (
            over(DisplayStatus::Succeeded, None, 1),
            "Delivered on the first attempt: the receiver answered 204 within 12.3 ms.",
        ),
        (
            over(DisplayStatus::Succeeded, None, 3),
            "Delivered on attempt 3: the receiver answered 204 within 12.3 ms.",
        ),
        (Facts { last: None, ..over(DisplayStatus::Succeeded, None, 3) }, "Delivered on attempt 3."),
        (
            over(DisplayStatus::Cancelled, None, 0),
            "Cancelled by the owner. It is not sent again automatically.",
        ),
        (
            over(DisplayStatus::Cancelled, Some("endpoint_deleted"), 0),
            "Cancelled because the endpoint was deleted.",
        ),
        (
            over(DisplayStatus::Dead, Some("a later word"), 3),
            "Delivery failed permanently. It is kept as a dead letter.",
        ),
        (over(DisplayStatus::Dead, None, 3), "Delivery failed permanently. It is kept as a dead letter."),
    ] {
        assert_eq!(explain(&facts), sentence, "{facts:?}");
    }
}

#[test]
fn every_reason_has_a_sentence_of_its_own() {
    let sentence = |reason: DeadReason| match reason {
        DeadReason::ScheduleSpent => {
            "All 3 attempts of the retry schedule failed (last: the receiver answered 500)."
        }
        DeadReason::Gone => "The receiver answered 410 Gone, and the endpoint was disabled.",
        DeadReason::Rejected => "The receiver rejected it permanently (last: the receiver answered 500).",
        DeadReason::Unsubscribed => {
            "The recipient has unsubscribed: the push subscription is gone, or the chat no longer accepts messages from the bot."
        }
        DeadReason::WorkerLost => {
            "It was claimed repeatedly by workers that stopped without recording a result."
        }
        DeadReason::EndpointDown => "The endpoint was down for the whole retry schedule.",
        DeadReason::HeldLimit => {
            "It exceeded the number of deliveries held for the endpoint, or the time they are held."
        }
        DeadReason::EndpointDeleted => "The endpoint was deleted.",
        DeadReason::Unreadable => {
            "The endpoint's stored secret can't be opened with this SECRET_KEY, or the stored row is damaged."
        }
    };
    for &reason in DeadReason::ALL {
        let explanation = explain(&over(DisplayStatus::Dead, Some(reason.as_str()), 3));
        let rest = "It is kept as a dead letter and is not retried automatically.";
        assert_eq!(explanation, format!("{} {rest}", sentence(reason)));
    }
    let only = explain(&over(DisplayStatus::Dead, Some("schedule_spent"), 1));
    assert!(only.starts_with("The only attempt failed: the receiver answered 500."), "{only}");
}

#[test]
fn the_next_attempt_waits_for_the_lane_and_is_known_only_while_pending() {
    let lane = LaneFacts::default();
    assert_eq!(next_attempt(&fresh()), Some(NOW));
    let slowed = in_lane(fresh(), LaneFacts { blocked_until: NOW.0 + 9, ..lane });
    assert_eq!(next_attempt(&slowed), Some(Millis(NOW.0 + 9)));
    let broken = in_lane(fresh(), LaneFacts { breaker_until: NOW.0 + 7, ..lane });
    assert_eq!(next_attempt(&broken), Some(Millis(NOW.0 + 7)));
    for &status in DisplayStatus::ALL.iter().filter(|status| **status != DisplayStatus::Pending) {
        assert_eq!(next_attempt(&Facts { status, ..fresh() }), None, "{status}");
    }
}
