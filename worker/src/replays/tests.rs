//! What a page takes.

use domain::replay::ReplayState;

use super::*;

fn replay(rate: i32) -> Model {
    Model {
        id: Uuid::from_u128(1),
        state: ReplayState::Running.as_str().to_owned(),
        user_id: None,
        endpoint_id: None,
        of_state: "dead".to_owned(),
        event_type: None,
        since: None,
        until: None,
        rate,
        next_at: 0,
        cursor: Uuid::nil(),
        bound: Uuid::max(),
        total: 10,
        done: 0,
        skipped: 0,
        created_at: 0,
        finished_at: None,
    }
}

fn candidates(alive: &[bool]) -> Vec<Candidate> {
    alive.iter().zip(1..).map(|(alive, id)| Candidate { id: Uuid::from_u128(id), alive: *alive }).collect()
}

#[test]
fn a_page_takes_a_second_of_the_pace_and_goes_on_behind_it() {
    let page = page_of(&replay(2), &candidates(&[true, true, true]), 500);
    let (olds, dues): (Vec<_>, Vec<_>) = page.rows.iter().map(|(old, _, due)| (old.as_u128(), *due)).unzip();
    assert_eq!((olds, dues), (vec![1, 2], vec![500, 1_000]));
    assert_eq!((page.seen, page.cursor.as_u128(), page.next_at, page.is_last), (2, 2, 1_500, false));
}

#[test]
fn what_cannot_be_delivered_is_passed_and_costs_no_time() {
    let page = page_of(&replay(1), &candidates(&[false, true, false, false, true]), 0);
    assert_eq!((page.rows.len(), page.seen, page.next_at, page.is_last), (1, 4, 1_000, false));
    let none = page_of(&replay(1), &candidates(&[false, false]), 7);
    assert_eq!((none.rows.len(), none.seen, none.next_at, none.is_last), (0, 2, 7, true));
}

#[test]
fn the_last_page_is_the_one_that_is_not_full() {
    let page = page_of(&replay(1_000), &candidates(&[true; 999]), 0);
    assert!(page.is_last);
    let full = page_of(&replay(1_000), &candidates(&[true; 1_000]), 0);
    assert_eq!((full.rows.len(), full.is_last), (1_000, false));
    let empty = page_of(&replay(5), &[], 0);
    assert_eq!((empty.seen, empty.cursor, empty.is_last), (0, Uuid::nil(), true));
}
