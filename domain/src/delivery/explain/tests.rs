//! Each sentence, as a reader gets it.

use super::*;

const NOW: Millis = Millis(1_000_000);
const IN_A_MINUTE: i64 = NOW.0 + 60_000;

/// Just accepted, due, in an active lane without limits.
fn fresh() -> Facts<'static> {
    Facts {
        standing: DisplayStatus::Pending,
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
    Facts { standing: DisplayStatus::Held, lane, ..fresh() }
}

fn over(standing: DisplayStatus, reason: Option<&'static str>, attempts: i32) -> Facts<'static> {
    let last = (attempts > 0).then(|| answered(if standing == DisplayStatus::Succeeded { 204 } else { 500 }));
    Facts { standing, reason, attempts, last, ..fresh() }
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
            "Accepted and stored, to be delivered later. The first attempt is due in 1 min.",
        ),
        (
            in_lane(fresh(), LaneFacts { blocked_until: NOW.0 + 30_000, ..lane }),
            "Accepted and stored. Its receiver asked to slow down; the first attempt follows in 30 s.",
        ),
        (
            in_lane(failed(), LaneFacts { blocked_until: NOW.0 + 30_000, ..lane }),
            "Attempt 2 of 10 failed: the receiver answered 503. Its receiver asked to slow down; the next attempt follows in 30 s.",
        ),
        (
            in_lane(fresh(), breaker(NOW.0 + 28_000)),
            "The endpoint failed 12 times in a row and is left alone; a probe follows in 28 s.",
        ),
        (
            in_lane(fresh(), breaker(NOW.0)),
            "Accepted and stored. The endpoint failed 12 times in a row; one probe at a time is sent until one succeeds.",
        ),
        (
            in_lane(fresh(), LaneFacts { drain_before: NOW.0, rate_limit: Some(5), ..lane }),
            "Accepted and stored. Its endpoint was resumed, and what waited drains slowly; the first attempt follows in its turn.",
        ),
        (
            in_lane(fresh(), LaneFacts { drain_before: NOW.0 - 1, rate_limit: Some(5), ..lane }),
            "Accepted and stored. It is due; its endpoint takes at most 5 a second, and it waits for its turn.",
        ),
        (
            in_lane(fresh(), LaneFacts { max_in_flight: Some(1), ..lane }),
            "Accepted and stored. It is due; its endpoint takes at most 1 at a time, and it waits for its turn.",
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
            "To be sent again by request, after 2 attempts that failed: the receiver answered 503. It is due: the next worker \
             with a free slot sends it.",
        ),
        (
            Facts { attempts: 1, position: 0, last: None, ..fresh() },
            "To be sent again by request, after an attempt that failed. It is due: the next worker with a free slot sends it.",
        ),
    ] {
        assert_eq!(why(&facts), sentence, "{facts:?}");
    }
}

#[test]
fn what_is_held_sent_or_over_says_so_and_whether_anything_follows() {
    for (facts, sentence) in [
        (
            off(LaneState::Paused, None),
            "Held: its endpoint is paused and the schedule's clock stands still. It is sent once the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, Some("gone")),
            "Held: its endpoint answered 410 Gone and is disabled. It is sent once the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, Some("failing")),
            "Held: its endpoint failed for days without a success and is disabled. It is sent once the endpoint is resumed.",
        ),
        (
            off(LaneState::Disabled, None),
            "Held: its endpoint is disabled. It is sent once the endpoint is resumed.",
        ),
        (off(LaneState::Deleted, None), "Held: its endpoint was deleted. It is cancelled within moments."),
        (
            Facts { standing: DisplayStatus::Sending, lease_until: Millis(NOW.0 + 45_000), ..failed() },
            "A worker is sending it: attempt 3. If the worker is lost, another one takes over in 45 s.",
        ),
        (
            over(DisplayStatus::Succeeded, None, 1),
            "Delivered by the first attempt: the receiver answered 204 within 12.3 ms.",
        ),
        (
            over(DisplayStatus::Succeeded, None, 3),
            "Delivered by attempt 3: the receiver answered 204 within 12.3 ms.",
        ),
        (Facts { last: None, ..over(DisplayStatus::Succeeded, None, 3) }, "Delivered by attempt 3."),
        (
            over(DisplayStatus::Cancelled, None, 0),
            "Called off by its owner. It is not sent again automatically.",
        ),
        (
            over(DisplayStatus::Cancelled, Some("endpoint_deleted"), 0),
            "Called off, because its endpoint was deleted.",
        ),
        (over(DisplayStatus::Dead, Some("a later word"), 3), "Given up on. It stays in the dead letters."),
        (over(DisplayStatus::Dead, None, 3), "Given up on. It stays in the dead letters."),
    ] {
        assert_eq!(why(&facts), sentence, "{facts:?}");
    }
}

#[test]
fn every_reason_has_a_sentence_of_its_own() {
    let sentence = |reason: DeadReason| match reason {
        DeadReason::ScheduleSpent => {
            "All 3 attempts of its schedule failed (last: the receiver answered 500)."
        }
        DeadReason::Gone => "The receiver answered 410 Gone, so its endpoint was disabled.",
        DeadReason::Rejected => "The receiver will never accept this (last: the receiver answered 500).",
        DeadReason::Unsubscribed => {
            "Its recipient has left: the push subscription is gone, or the chat takes no messages of the bot."
        }
        DeadReason::WorkerLost => "It was claimed again and again by workers that never came back.",
        DeadReason::EndpointDown => "Its whole schedule passed while its endpoint was down.",
        DeadReason::HeldLimit => "More was held for its endpoint, or for longer, than is kept.",
        DeadReason::EndpointDeleted => "Its endpoint was deleted.",
        DeadReason::Unreadable => {
            "The endpoint's stored secret can't be opened with this SECRET_KEY, or the stored row is damaged."
        }
    };
    for &reason in DeadReason::ALL {
        let told = why(&over(DisplayStatus::Dead, Some(reason.as_str()), 3));
        let rest = "It stays in the dead letters and is not sent again by itself.";
        assert_eq!(told, format!("{} {rest}", sentence(reason)));
    }
    let only = why(&over(DisplayStatus::Dead, Some("schedule_spent"), 1));
    assert!(only.starts_with("Its only attempt failed: the receiver answered 500."), "{only}");
}

#[test]
fn the_next_attempt_waits_for_the_lane_and_is_known_only_while_pending() {
    let lane = LaneFacts::default();
    assert_eq!(next_attempt(&fresh()), Some(NOW));
    let slowed = in_lane(fresh(), LaneFacts { blocked_until: NOW.0 + 9, ..lane });
    assert_eq!(next_attempt(&slowed), Some(Millis(NOW.0 + 9)));
    let broken = in_lane(fresh(), LaneFacts { breaker_until: NOW.0 + 7, ..lane });
    assert_eq!(next_attempt(&broken), Some(Millis(NOW.0 + 7)));
    for &standing in DisplayStatus::ALL.iter().filter(|standing| **standing != DisplayStatus::Pending) {
        assert_eq!(next_attempt(&Facts { standing, ..fresh() }), None, "{standing}");
    }
}
