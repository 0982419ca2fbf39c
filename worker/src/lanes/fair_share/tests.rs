use domain::delivery::Channel;

use super::*;

const fn lane(number: u128) -> Holder {
    Holder { lane: Uuid::from_u128(number), group: None }
}

const fn of_user(number: u128, user_id: i64) -> Holder {
    Holder { group: Some(Group::Tenant(user_id)), ..lane(number) }
}

const fn of_push(number: u128) -> Holder {
    Holder { group: Some(Group::Channel(Channel::WebPush)), ..lane(number) }
}

fn all_free(free: usize) -> Share {
    Share { free, used: Used::default() }
}

/// What these lanes hold in the end when all take whatever they may and never give back, and what is free then.
fn settled(slots: usize, lanes: &[Holder]) -> (Vec<usize>, usize) {
    let mut share = all_free(slots);
    while let Some(next) = lanes
        .iter()
        .filter(|holder| share.may_claim(holder))
        .min_by_key(|holder| share.used.of_lane(holder.lane))
    {
        share.occupy(next);
    }
    (lanes.iter().map(|holder| share.used.of_lane(holder.lane)).collect(), share.free)
}

#[test]
fn one_lane_alone_settles_at_a_quarter() {
    let table = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (8, 2), (100, 25), (1_024, 256), (4_096, 1_024)];
    for (slots, holds) in table {
        assert_eq!(settled(slots, &[lane(1)]).0, [holds], "{slots} slots");
    }
}

#[test]
fn lanes_that_hang_always_leave_room() {
    for (lanes, most) in [(2, 205), (3, 171), (10, 79), (100, 10), (1_000, 2)] {
        let lanes: Vec<Holder> = (0..lanes).map(lane).collect();
        let (used, free) = settled(1_024, &lanes);
        assert_eq!(used.iter().max(), Some(&most), "{} lanes", lanes.len());
        assert!(free > 0, "{} lanes leave room", lanes.len());
    }
}

#[test]
fn a_lane_without_a_slot_gets_one_as_long_as_there_is_any() {
    let with = |free: usize, holds: usize| {
        let mut share = all_free(free + holds);
        (0..holds).for_each(|_| share.occupy(&lane(1)));
        share.may_claim(&lane(1))
    };
    assert!(with(1, 0));
    assert!(!with(1, 1) && !with(0, 0));
    assert!(with(4, 1) && !with(3, 1));
}

#[test]
fn a_tenant_and_a_channel_hold_three_quarters_however_many_lanes_they_have() {
    for slots in [4, 100, 1_024] {
        let tenant: Vec<Holder> = (0..3_000).map(|number| of_user(number, 7)).collect();
        let channel: Vec<Holder> = (0..3_000).map(of_push).collect();
        assert_eq!(settled(slots, &tenant).1, slots / 4, "{slots} slots");
        assert_eq!(settled(slots, &channel).1, slots / 4, "{slots} slots");
    }
    let two: Vec<Holder> = (0..6_000).map(|number| of_user(number, i64::from(number % 2 == 0))).collect();
    assert_eq!(settled(1_024, &two).1, 146, "two tenants leave a seventh");
}

#[test]
fn a_third_of_what_a_group_may_hold_is_left_to_claims() {
    let mut share = all_free(1_024);
    for number in 0..3_000 {
        if share.may_hand_over(&of_user(number, 7), false) {
            share.occupy(&of_user(number, 7));
        }
    }
    assert_eq!(share.free, 341);
    let waiting = of_user(9_000, 7);
    assert!(share.may_claim(&waiting) && !share.may_hand_over(&waiting, false));
}

#[test]
fn any_room_is_worth_a_claim_for_a_lane_that_holds_nothing() {
    let mut share = all_free(1_024);
    (0..765).for_each(|number| share.occupy(&of_user(number, 7)));
    let (idle, busy) = (of_user(9_000, 7), of_user(1, 7));
    assert_eq!((share.room_for(&idle), share.room_for(&busy)), (12, 12));
    assert!(share.is_worth_a_claim(&idle) && !share.is_worth_a_claim(&busy));
}

#[test]
fn while_a_channel_hangs_a_tenant_gets_slots() {
    let mut share = all_free(1_024);
    for number in 0..3_000 {
        let stranger = of_push(number);
        if share.may_claim(&stranger) {
            share.occupy(&stranger);
        }
    }
    assert_eq!(share.free, 256);
    assert_eq!(share.room_for(&of_push(9_000)), 0);
    assert_eq!(share.room_for(&of_user(9_000, 7)), 86, "a third of what is free");
}

#[test]
fn slots_are_divided_as_if_they_had_been_taken_one_by_one() {
    let given = all_free(1_024).divide(&[(lane(1), 512), (lane(2), 3)], 512);
    assert_eq!(given, [(lane(1), 256), (lane(2), 3)]);
    let many: Vec<_> = (1..=100).map(|number| (lane(number), 20)).collect();
    let given: usize = all_free(1_024).divide(&many, 2_048).iter().map(|(_, given)| given).sum();
    assert!((900..1_024).contains(&given), "a hundred lanes leave room: {given}");
    let mixed: Vec<_> = (0..2_000).map(|number| (of_user(number, i64::from(number >= 1_999)), 9)).collect();
    let given = all_free(1_024).divide(&mixed, 2_048);
    let of_last = given.iter().filter(|(holder, _)| holder.group == Some(Group::Tenant(1))).count();
    assert_eq!((given.len(), of_last), (769, 1), "a tenant that is full does not end the turn of others");
}

#[test]
fn what_a_lane_holds_counts_and_never_more_is_given_than_is_free_or_asked_for() {
    let holding = |free: usize| {
        let mut share = all_free(free + 10);
        (0..10).for_each(|_| share.occupy(&lane(1)));
        share
    };
    assert_eq!(holding(30).divide(&[(lane(1), 5)], 512), []);
    assert_eq!(holding(31).divide(&[(lane(1), 5)], 512), [(lane(1), 1)]);
    let others: Vec<_> = (2..40).map(|number| (lane(number), 1)).collect();
    assert_eq!(all_free(7).divide(&others, 512).len(), 7);
    assert_eq!(all_free(1_024).divide(&[(lane(1), 9)], 4), [(lane(1), 4)]);
    assert_eq!(all_free(1_024).divide(&[(lane(1), 0)], 4), []);
}

#[test]
fn what_is_given_back_is_not_held() {
    let (mut used, holder) = (Used::default(), of_user(1, 2));
    used.add(&holder);
    used.add(&holder);
    used.remove(&holder);
    assert_eq!((used.of_lane(holder.lane), used.of_group(&holder), used.holds(holder.lane)), (1, 1, true));
    used.remove(&holder);
    assert_eq!(used, Used::default());
}
