//! How many send slots of a worker a lane and a group of lanes may hold: a share of what is free, not of what there is
//! (decision 7). Pure.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::Hash,
};

use uuid::Uuid;

use super::{Group, Holder};

/// The slots of a worker at one moment.
#[derive(Clone, Debug, Default)]
pub struct Share {
    /// Slots that no lane holds.
    pub(super) free: usize,
    /// Slots that are held.
    pub(super) used: Used,
}

/// How many slots lanes and their groups hold; what is not named holds none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    lanes: HashMap<Uuid, usize>,
    groups: HashMap<Group, usize>,
}

impl Share {
    /// Most slots that one lane may hold now.
    #[must_use]
    pub const fn most_of_a_lane(&self) -> usize {
        self.free.div_ceil(3)
    }

    /// Most slots that a group may hold now: one alone settles at three quarters of all.
    const fn most_of_a_group(&self) -> usize {
        self.free * 3
    }

    /// Most slots that this lane could get more, were it alone.
    #[must_use]
    pub fn room_for(&self, holder: &Holder) -> usize {
        let of_lane = self.most_of_a_lane().saturating_sub(self.used.of_lane(holder.lane));
        of_lane.min(self.most_of_a_group().saturating_sub(self.used.of_group(holder)))
    }

    /// Whether the room for this lane is worth a claim: a quarter of what a lane may hold, or any when it holds nothing.
    #[must_use]
    pub fn is_worth_a_claim(&self, holder: &Holder) -> bool {
        let room = self.room_for(holder);
        room > 0 && (room * 4 >= self.most_of_a_lane() || !self.used.holds(holder.lane))
    }

    /// Whether a claimed delivery of this lane may take another slot.
    pub(super) fn may_claim(&self, holder: &Holder) -> bool {
        self.used.of_lane(holder.lane) < self.most_of_a_lane()
            && self.used.of_group(holder) < self.most_of_a_group()
    }

    /// Whether a handed-over delivery of this lane may take another slot. A third of the group's bound is left to claims, and
    /// of a lane with a backlog half of the lane's.
    pub(super) fn may_hand_over(&self, holder: &Holder, has_backlog: bool) -> bool {
        let weight = if has_backlog { 2 } else { 1 };
        self.used.of_lane(holder.lane) * weight < self.most_of_a_lane()
            && self.used.of_group(holder) < self.free * 2
    }

    /// Takes a free slot.
    pub(super) fn take(&mut self, holder: &Holder) {
        self.free -= 1;
        self.used.add(holder);
    }

    /// How many slots each of these lanes gets, at most `most` in all, when it wants so many: one after the other, the lane
    /// with the fewest first.
    #[must_use]
    pub fn divide(&self, wants: &[(Holder, usize)], most: usize) -> Vec<(Holder, usize)> {
        let (mut given, mut now) = (vec![0; wants.len()], self.clone());
        let lanes = wants.iter().enumerate().filter(|(_, (_, want))| *want > 0);
        let mut next: BinaryHeap<_> =
            lanes.map(|(place, (holder, _))| Reverse((self.used.of_lane(holder.lane), place))).collect();
        let mut left = most.min(self.free);
        while left > 0
            && let Some(Reverse((holds, place))) = next.pop()
        {
            let (holder, want) = &wants[place];
            // What is free becomes less: a lane that may not take one now may not later.
            if !now.may_claim(holder) {
                continue;
            }
            now.take(holder);
            left -= 1;
            given[place] += 1;
            if given[place] < *want {
                next.push(Reverse((holds + 1, place)));
            }
        }
        let given = wants.iter().zip(given).filter(|(_, given)| *given > 0);
        given.map(|((holder, _), given)| (*holder, given)).collect()
    }
}

impl Used {
    /// Whether this lane holds any.
    pub(super) fn holds(&self, lane: Uuid) -> bool {
        self.lanes.contains_key(&lane)
    }

    fn of_lane(&self, lane: Uuid) -> usize {
        count(&self.lanes, Some(lane))
    }

    fn of_group(&self, holder: &Holder) -> usize {
        count(&self.groups, holder.group)
    }

    pub(super) fn add(&mut self, holder: &Holder) {
        *self.lanes.entry(holder.lane).or_insert(0) += 1;
        if let Some(group) = holder.group {
            *self.groups.entry(group).or_insert(0) += 1;
        }
    }

    pub(super) fn remove(&mut self, holder: &Holder) {
        subtract(&mut self.lanes, Some(holder.lane));
        subtract(&mut self.groups, holder.group);
    }
}

fn count<Key: Eq + Hash>(counts: &HashMap<Key, usize>, key: Option<Key>) -> usize {
    key.and_then(|key| counts.get(&key)).copied().unwrap_or(0)
}

fn subtract<Key: Eq + Hash>(counts: &mut HashMap<Key, usize>, key: Option<Key>) {
    let Some(key) = key else { return };
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
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
            share.take(next);
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
            (0..holds).for_each(|_| share.take(&lane(1)));
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
                share.take(&of_user(number, 7));
            }
        }
        assert_eq!(share.free, 341);
        let waiting = of_user(9_000, 7);
        assert!(share.may_claim(&waiting) && !share.may_hand_over(&waiting, false));
    }

    #[test]
    fn any_room_is_worth_a_claim_for_a_lane_that_holds_nothing() {
        let mut share = all_free(1_024);
        (0..765).for_each(|number| share.take(&of_user(number, 7)));
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
                share.take(&stranger);
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
        let mixed: Vec<_> =
            (0..2_000).map(|number| (of_user(number, i64::from(number >= 1_999)), 9)).collect();
        let given = all_free(1_024).divide(&mixed, 2_048);
        let of_last = given.iter().filter(|(holder, _)| holder.group == Some(Group::Tenant(1))).count();
        assert_eq!((given.len(), of_last), (769, 1), "a tenant that is full does not end the turn of others");
    }

    #[test]
    fn what_a_lane_holds_counts_and_never_more_is_given_than_is_free_or_asked_for() {
        let holding = |free: usize| {
            let mut share = all_free(free + 10);
            (0..10).for_each(|_| share.take(&lane(1)));
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
        assert_eq!(
            (used.of_lane(holder.lane), used.of_group(&holder), used.holds(holder.lane)),
            (1, 1, true)
        );
        used.remove(&holder);
        assert_eq!(used, Used::default());
    }
}
