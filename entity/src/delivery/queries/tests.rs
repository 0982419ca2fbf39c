//! From a row to the sentence of `domain::delivery::explain`.

use domain::delivery::{explain, next_attempt};

use super::*;

/// A delivery that was just accepted, read at `asked_at`.
fn sample(asked_at: i64) -> Row {
    Row {
        id: Uuid::from_u128(1),
        event_id: Uuid::from_u128(2),
        user_id: Some(1),
        channel: "webhook".to_owned(),
        recipient_id: Uuid::from_u128(3),
        position: 0,
        attempts: 0,
        created_at: 0,
        due_at: 0,
        lease_until: 0,
        state: None,
        reason: None,
        finished_at: None,
        event_type: Some("upload file".to_owned()),
        url: Some("https://example.com/hook".to_owned()),
        retry_schedule: None,
        lane_state: Some("active".to_owned()),
        off_reason: None,
        blocked_until: Some(0),
        failures: Some(0),
        breaker_until: Some(0),
        drain_before: Some(0),
        rate_limit: None,
        max_in_flight: None,
        asked_at,
    }
}

fn sentence(row: &Row) -> String {
    explain(&row.facts(None, row.own_schedule().unwrap_or(10)))
}

#[test]
fn every_column_reaches_the_sentence() {
    let sample = || sample(1_000_000);
    let failing = Row { attempts: 2, position: 2, due_at: 1_300_000, ..sample() };
    assert_eq!(sentence(&failing), "Attempt 2 of 10 failed. The next attempt is due in 5 min.");
    let own = Row { retry_schedule: Some("[1,2,3]".to_owned()), ..failing };
    assert_eq!(sentence(&own), "Attempt 2 of 4 failed. The next attempt is due in 5 min.");
    let broken = Row { failures: Some(10), breaker_until: Some(1_028_000), ..sample() };
    assert_eq!(
        sentence(&broken),
        "The endpoint's circuit breaker is open after 10 consecutive failures. The next probe is due in 28 s."
    );
    let gone =
        Row { lane_state: Some("disabled".to_owned()), off_reason: Some("gone".to_owned()), ..sample() };
    assert!(sentence(&gone).starts_with("Held: the endpoint answered 410 Gone"), "{}", sentence(&gone));
    let limited = Row { rate_limit: Some(5), ..sample() };
    assert!(sentence(&limited).contains("rate limit of 5 per second"));
    let crowded = Row { max_in_flight: Some(2), ..sample() };
    assert!(sentence(&crowded).contains("concurrency limit of 2"));
    let draining = Row { drain_before: Some(1), ..sample() };
    assert!(sentence(&draining).contains("drains at a limited rate"));
    let dead = Row { state: Some("dead".to_owned()), reason: Some("held_limit".to_owned()), ..sample() };
    assert!(sentence(&dead).starts_with("It exceeded the number of deliveries held"));
}

#[test]
fn the_next_attempt_waits_for_the_lane() {
    let next = |row: &Row| next_attempt(&row.facts(None, 10));
    let row = Row { due_at: 5, blocked_until: Some(9), ..sample(1_000) };
    assert_eq!(next(&row), Some(Millis(9)));
    assert_eq!(next(&Row { blocked_until: None, ..row.clone() }), Some(Millis(5)));
    assert_eq!(next(&Row { lease_until: 2_000, ..row }), None);
}

#[test]
fn the_time_of_the_reading_makes_no_difference() {
    assert!(sample(1).shows_the_same(&sample(2)));
    assert!(!sample(1).shows_the_same(&Row { attempts: 1, ..sample(1) }));
}
