//! From a row to the facts that the sentence of `domain::delivery::explain` is made of. Says nothing itself.

use domain::{
    clock::Millis,
    delivery::{DisplayStatus, Facts, LaneFacts, LastAttempt, RetrySchedule},
};
use entity::attempt;

use crate::queries::deliveries::DeliveryRow;

/// The facts about `row`; `attempts` is how many the default schedule makes.
pub(super) fn facts<'a>(
    row: &'a DeliveryRow,
    last: Option<&'a attempt::Model>,
    attempts: usize,
    now: Millis,
) -> Facts<'a> {
    let lane = lane(row);
    Facts {
        standing: row.state.as_deref().map_or_else(
            || DisplayStatus::under_way(Millis(row.lease_until), lane.state, now),
            DisplayStatus::finished,
        ),
        reason: row.reason.as_deref(),
        attempts: row.attempts,
        position: i32::from(row.position),
        scheduled: own_schedule(row).unwrap_or(attempts),
        created_at: Millis(row.created_at),
        due_at: Millis(row.due_at),
        lease_until: Millis(row.lease_until),
        lane,
        last: last.map(|last| LastAttempt {
            status_code: last.status_code,
            error: last.error.as_deref(),
            error_class: last.error_class.as_deref(),
            duration_us: last.duration_us,
        }),
        now,
    }
}

fn lane(row: &DeliveryRow) -> LaneFacts<'_> {
    LaneFacts {
        state: row.lane_state.as_deref().and_then(|state| state.parse().ok()),
        off_reason: row.off_reason.as_deref(),
        blocked_until: row.blocked_until.unwrap_or(0),
        failures: row.failures.unwrap_or(0),
        breaker_until: row.breaker_until.unwrap_or(0),
        drain_before: row.drain_before.unwrap_or(0),
        rate_limit: row.rate_limit,
        max_in_flight: row.max_in_flight,
    }
}

/// How many attempts the endpoint's own schedule makes.
fn own_schedule(row: &DeliveryRow) -> Option<usize> {
    Some(RetrySchedule::from_seconds(row.retry_schedule.as_deref()?).ok()?.attempts())
}

#[cfg(test)]
mod tests {
    use domain::delivery::{next_attempt, why};

    use super::*;
    use crate::queries::deliveries::sample;

    fn tell(row: &DeliveryRow) -> String {
        why(&facts(row, None, 10, Millis(1_000_000)))
    }

    #[test]
    fn every_column_reaches_the_sentence() {
        let failing = DeliveryRow { attempts: 2, position: 2, due_at: 1_300_000, ..sample() };
        assert_eq!(tell(&failing), "Attempt 2 of 10 failed. The next attempt is due in 5 min.");
        let own = DeliveryRow { retry_schedule: Some("[1,2,3]".to_owned()), ..failing };
        assert_eq!(tell(&own), "Attempt 2 of 4 failed. The next attempt is due in 5 min.");
        let broken = DeliveryRow { failures: Some(10), breaker_until: Some(1_028_000), ..sample() };
        assert_eq!(
            tell(&broken),
            "The endpoint failed 10 times in a row and is left alone; a probe follows in 28 s."
        );
        let gone = DeliveryRow {
            lane_state: Some("disabled".to_owned()),
            off_reason: Some("gone".to_owned()),
            ..sample()
        };
        assert!(tell(&gone).starts_with("Held: its endpoint answered 410 Gone"), "{}", tell(&gone));
        let limited = DeliveryRow { rate_limit: Some(5), ..sample() };
        assert!(tell(&limited).contains("at most 5 a second"));
        let crowded = DeliveryRow { max_in_flight: Some(2), ..sample() };
        assert!(tell(&crowded).contains("at most 2 at a time"));
        let draining = DeliveryRow { drain_before: Some(1), ..sample() };
        assert!(tell(&draining).contains("drains slowly"));
        let dead =
            DeliveryRow { state: Some("dead".to_owned()), reason: Some("held_limit".to_owned()), ..sample() };
        assert!(tell(&dead).starts_with("More was held"));
    }

    #[test]
    fn the_next_attempt_waits_for_the_lane() {
        let next = |row: &DeliveryRow| next_attempt(&facts(row, None, 10, Millis(1_000)));
        let row = DeliveryRow { due_at: 5, blocked_until: Some(9), ..sample() };
        assert_eq!(next(&row), Some(Millis(9)));
        assert_eq!(next(&DeliveryRow { blocked_until: None, ..row.clone() }), Some(Millis(5)));
        assert_eq!(next(&DeliveryRow { lease_until: 2_000, ..row }), None);
    }
}
