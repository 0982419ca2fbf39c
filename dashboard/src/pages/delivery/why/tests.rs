//! Each sentence, as a reader gets it.

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
        let row = DeliveryRow {
            state: Some("dead".to_owned()),
            reason: Some(reason.to_string()),
            attempts: 3,
            ..sample()
        };
        assert!(tell(&row, None).ends_with("not sent again by itself."), "{reason}");
    }
}
