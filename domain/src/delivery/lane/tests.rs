use proptest::prelude::*;

use super::*;

const START: i64 = 1_800_000_000_000;

fn send(at: i64, verdict: Verdict) -> LaneSend {
    LaneSend { started_at: Millis(START + at), verdict }
}

fn failures(starts: impl IntoIterator<Item = i64>) -> Vec<LaneSend> {
    starts.into_iter().map(|at| send(at, Verdict::Failed)).collect()
}

fn at(ms: i64) -> Millis {
    Millis(START + ms)
}

/// Broken since 0: the first probe may start at 30 s.
fn broken() -> LaneHealth {
    LaneHealth::default().after(&failures(-10..0), at(0))
}

#[test]
fn nine_failures_leave_it_closed_and_the_tenth_opens_it_for_30_seconds() {
    let nine = LaneHealth::default().after(&failures(0..9), at(100));
    assert_eq!((nine.failures, nine.is_broken()), (9, false));
    let ten = nine.after(&failures([9]), at(100));
    assert_eq!((ten.failures, ten.breaker_until, ten.breaker_wait), (10, at(30_100), 30_000));
    assert_eq!((ten.failing_since, ten.state), (at(0), LaneState::Active));
}

#[test]
fn a_success_in_between_starts_the_count_again() {
    let nine = LaneHealth::default().after(&failures(0..9), at(100));
    let healed = nine.after(&[send(50, Verdict::Succeeded)], at(100));
    assert_eq!((healed.failures, healed.failing_since, healed.succeeded_at), (0, Millis(0), at(50)));
    assert!(!healed.after(&failures(51..60), at(100)).is_broken());
    assert!(healed.after(&failures(51..61), at(100)).is_broken());
}

#[test]
fn failures_that_started_before_the_last_success_do_not_count() {
    let healthy = LaneHealth::default().after(&[send(100, Verdict::Succeeded)], at(100));
    let late = healthy.after(&failures(60..=100), at(15_000));
    assert_eq!(late, healthy, "slow, and of before");
    assert_eq!(healthy.after(&failures([101]), at(15_000)).failures, 1);
}

#[test]
fn a_success_that_started_before_the_failures_does_not_end_their_run() {
    let failing = LaneHealth::default().after(&failures(10..20), at(100));
    let still = failing.after(&[send(9, Verdict::Succeeded)], at(100));
    assert_eq!((still.failures, still.breaker_until, still.succeeded_at), (10, failing.breaker_until, at(9)));
}

#[test]
fn failed_probes_double_the_wait_up_to_15_minutes() {
    let mut health = broken();
    let mut waits = vec![health.breaker_wait / 1_000];
    for _ in 0..6 {
        let probe = LaneSend { started_at: health.breaker_until, verdict: Verdict::Failed };
        let now = health.breaker_until + Duration::from_secs(1);
        health = health.after(&[probe], now);
        assert_eq!(health.breaker_until.0, now.0 + health.breaker_wait);
        waits.push(health.breaker_wait / 1_000);
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
}

#[test]
fn sends_of_before_the_opening_do_not_lengthen_it() {
    let before = broken();
    let late = before.after(&failures([1, 29_999]), at(29_999));
    assert_eq!((late.breaker_until, late.breaker_wait), (before.breaker_until, before.breaker_wait));
    assert_eq!(late.after(&failures([30_000]), at(30_000)).breaker_wait, 60_000, "a probe");
}

#[test]
fn a_probe_that_succeeds_closes_it_and_what_waited_drains() {
    let closed = broken().after(&[send(30_000, Verdict::Succeeded)], at(30_200));
    assert_eq!((closed.breaker_until, closed.breaker_wait, closed.failures), (Millis(0), 0, 0));
    assert_eq!(closed.drain_before, at(30_200));
}

#[test]
fn five_days_of_failing_disable_it_and_a_millisecond_less_does_not() {
    let five_days = millis(DISABLED_AFTER);
    let failing = LaneHealth::default().after(&failures([0]), at(0));
    let before = failing.after(&failures([five_days - 1]), at(five_days - 1));
    assert_eq!((before.state, before.tell_owner), (LaneState::Active, false));
    let after = failing.after(&failures([five_days]), at(five_days));
    assert_eq!((after.state, after.off_reason), (LaneState::Disabled, Some(OffReason::Failing)));
    assert_eq!((after.off_since, after.tell_owner), (at(five_days), true));
}

#[test]
fn gone_disables_an_active_lane_and_leaves_a_paused_or_deleted_one() {
    let gone = LaneHealth::default().after(&[send(0, Verdict::Gone)], at(5));
    assert_eq!(
        (gone.state, gone.off_reason, gone.off_since),
        (LaneState::Disabled, Some(OffReason::Gone), at(5))
    );
    for state in [LaneState::Paused, LaneState::Disabled, LaneState::Deleted] {
        let off = LaneHealth { state, off_since: at(1), ..LaneHealth::default() };
        assert_eq!(off.after(&[send(2, Verdict::Gone)], at(5)), off, "{state}");
    }
}

#[test]
fn what_started_before_the_resume_changes_nothing() {
    let resumed = LaneHealth { resumed_at: at(100), ..LaneHealth::default() };
    let pause = Verdict::Overloaded { pause: Duration::from_secs(60) };
    for verdict in [Verdict::Gone, Verdict::Failed, Verdict::Succeeded, pause] {
        assert_eq!(resumed.after(&[send(99, verdict)], at(200)), resumed, "{verdict:?}");
        assert_ne!(resumed.after(&[send(100, verdict)], at(200)), resumed, "{verdict:?}");
    }
}

#[test]
fn an_overload_lets_the_lane_rest_and_counts_as_a_failure() {
    let pause = Duration::from_secs(60);
    let busy = LaneHealth::default().after(&[send(0, Verdict::Overloaded { pause })], at(10));
    assert_eq!((busy.blocked_until, busy.failures), (at(60_010), 1));
    let shorter = Verdict::Overloaded { pause: OVERLOAD_PAUSE };
    assert_eq!(busy.after(&[send(1, shorter)], at(20)).blocked_until, at(60_010), "the longer pause wins");
}

#[test]
fn our_own_faults_and_rejected_messages_say_nothing_of_the_receiver() {
    let of = |result, class| Verdict::from_result(result, class);
    assert_eq!(of(SendResult::Failed, Some(ErrorClass::Internal)), None);
    assert_eq!(of(SendResult::Unreadable, None), None);
    assert_eq!(of(SendResult::Rejected, Some(ErrorClass::Status)), None);
    assert_eq!(of(SendResult::Failed, Some(ErrorClass::Status)), Some(Verdict::Failed));
    let asked = |seconds| {
        of(
            SendResult::Overloaded { retry_after: Some(Duration::from_secs(seconds)) },
            Some(ErrorClass::Status),
        )
    };
    assert_eq!(asked(86_401), Some(Verdict::Overloaded { pause: RETRY_AFTER_CAP }));
    let unnamed = of(SendResult::Overloaded { retry_after: None }, Some(ErrorClass::Status));
    assert_eq!(unnamed, Some(Verdict::Overloaded { pause: OVERLOAD_PAUSE }));
}

fn any_send() -> impl Strategy<Value = LaneSend> {
    let verdict = prop_oneof![
        6 => Just(Verdict::Failed),
        2 => Just(Verdict::Succeeded),
        1 => Just(Verdict::Overloaded { pause: OVERLOAD_PAUSE }),
        1 => Just(Verdict::Gone),
    ];
    (0..100_000_i64, verdict).prop_map(|(started, verdict)| send(started, verdict))
}

proptest! {
    #[test]
    fn the_order_of_arrival_within_a_batch_says_nothing(
        sends in prop::collection::vec(any_send(), 0..60).prop_flat_map(|sends| {
            (Just(sends.clone()), Just(sends).prop_shuffle())
        })
    ) {
        let (sends, shuffled) = sends;
        let now = at(100_000);
        prop_assert_eq!(broken().after(&sends, now), broken().after(&shuffled, now));
    }

    #[test]
    fn batches_that_follow_one_another_by_start_may_be_cut_anywhere(
        mut sends in prop::collection::vec(any_send(), 0..60),
        cut in 0..60_usize,
    ) {
        sends.sort_by_key(|send| (send.started_at, order(send.verdict)));
        let (first, second) = sends.split_at(cut.min(sends.len()));
        let now = at(100_000);
        prop_assert_eq!(
            LaneHealth::default().after(&sends, now),
            LaneHealth::default().after(first, now).after(second, now)
        );
    }

    #[test]
    fn however_batches_are_mixed_a_late_success_heals(
        batches in prop::collection::vec(prop::collection::vec(any_send(), 0..20), 0..6),
    ) {
        let mut health = LaneHealth::default();
        for batch in &batches {
            health = health.after(batch, at(100_000));
            prop_assert!(health.breaker_wait <= millis(BREAKER_LONGEST_WAIT));
            prop_assert_eq!(health.is_broken(), health.breaker_wait > 0);
        }
        let healed = health.after(&[send(100_000, Verdict::Succeeded)], at(100_000));
        prop_assert_eq!((healed.failures, healed.is_broken()), (0, false));
    }
}

#[test]
fn a_lane_that_nobody_owns_is_never_disabled_and_goes_on_probing() {
    let days = i64::try_from(DISABLED_AFTER.as_millis()).expect("days");
    let shared = LaneHealth { has_owner: false, ..LaneHealth::default() };
    let failing = shared.after(&failures(0..10), at(10)).after(&failures([days]), at(days + 1));
    assert_eq!((failing.state, failing.is_broken(), failing.tell_owner), (LaneState::Active, true, false));
    let gone = shared.after(&[send(0, Verdict::Gone)], at(1));
    assert_eq!(gone.state, LaneState::Active);
}

#[test]
fn a_receiver_that_tells_of_a_recipient_who_left_is_well() {
    let verdict = Verdict::from_result(SendResult::Unsubscribed, Some(ErrorClass::Status));
    assert_eq!(verdict, Some(Verdict::Succeeded));
}
