use std::{collections::BTreeMap, time::Instant};

use super::{Ledger, MARK_DIGITS, NUMBER_DIGITS};

fn body(ledger: &Ledger, number: usize) -> Vec<u8> {
    format!("{{\"data\":{{\"file_name\":\"chaos-{}.txt\"}}}}", ledger.label(number)).into_bytes()
}

#[test]
fn accepted_numbers_that_did_not_arrive_are_missing() {
    let ledger = Ledger::new();
    let numbers: Vec<usize> = (0..4).filter_map(|_| ledger.next()).collect();
    numbers[..2].iter().for_each(|number| assert!(ledger.answered(*number, Some(202))));
    assert!(!ledger.answered(numbers[3], Some(503)));
    ledger.arrived(&body(&ledger, numbers[1]));
    ledger.arrived(&body(&ledger, numbers[1]));
    ledger.arrived(&body(&ledger, numbers[2]));
    let sums = ledger.sums();
    assert_eq!((sums.asked, sums.accepted, sums.arrived, sums.twice), (4, 2, 1, 1));
    assert_eq!((sums.missing, sums.unannounced), (vec![numbers[0]], 1));
    assert_eq!(sums.refused, BTreeMap::from([(None, 1), (Some(503), 1)]));
    assert_eq!(ledger.outstanding(), 1);
}

#[test]
fn a_number_is_found_nested_escaped_or_bare() {
    let ledger = Ledger::new();
    let number = (0..12).filter_map(|_| ledger.next()).last().expect("numbers");
    ledger.answered(number, Some(202));
    let label = ledger.label(number);
    let bodies = [
        format!("{{\"payload\":\"{{\\\"n\\\":\\\"{label}\\\"}}\",\"at\":1732780000123456}}"),
        format!("{{\"n\":{label}}}"),
        label,
    ];
    bodies.iter().for_each(|body| ledger.arrived(body.as_bytes()));
    assert_eq!((ledger.sums().arrived, ledger.sums().twice), (1, 1));
}

#[test]
fn forgotten_numbers_count_no_more() {
    let ledger = Ledger::new();
    let before = ledger.next().expect("room");
    ledger.answered(before, Some(200));
    ledger.begin();
    let after = ledger.next().expect("room");
    ledger.answered(after, Some(200));
    ledger.arrived(&body(&ledger, before));
    assert_eq!((ledger.sums().asked, ledger.outstanding(), ledger.upcoming()), (1, 1, 2));
    ledger.arrived(&body(&ledger, after));
    assert_eq!((ledger.sums().arrived, ledger.outstanding()), (1, 0));
}

#[test]
fn a_label_is_exact_as_a_json_number() {
    let ledger = Ledger::new();
    let label: u64 = ledger.label(999_999_999).parse().expect("digits");
    assert!(label < 1 << 53);
    assert_eq!(ledger.label(0).len(), MARK_DIGITS + NUMBER_DIGITS);
}

#[test]
fn bodies_without_a_label_belong_to_no_entry() {
    let ledger = Ledger::new();
    ledger.next();
    let mark = ledger.mark.clone();
    for body in [mark.clone(), String::new(), format!("{mark}00000000x"), format!("{mark}000000007")] {
        ledger.arrived(body.as_bytes());
    }
    assert_eq!(ledger.sums().unannounced, 0);
}

#[test]
fn recovery_is_the_first_arrival_of_what_was_accepted_afterwards() {
    let (ledger, moment) = (Ledger::new(), Instant::now());
    let (before, after) = (ledger.next().expect("room"), ledger.next().expect("room"));
    ledger.answered(before, Some(202));
    ledger.arrived(&body(&ledger, before));
    assert_eq!(ledger.first_arrival_of(after, moment), None);
    ledger.answered(after, Some(202));
    ledger.arrived(&body(&ledger, after));
    assert!(ledger.first_arrival_of(after, moment).is_some());
}
