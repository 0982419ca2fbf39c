//! How many send slots of a worker one lane may hold: a share of what is free, not of what there is (decision 7). Pure.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use uuid::Uuid;

/// The slots of a worker at one moment.
#[derive(Clone, Debug)]
pub struct Share {
    /// Slots that no lane holds.
    pub(super) free: usize,
    /// Slots that lanes hold; a lane that is not named holds none.
    pub(super) used: HashMap<Uuid, usize>,
}

impl Share {
    /// Most slots that one lane may hold now.
    #[must_use]
    pub const fn most_of_a_lane(&self) -> usize {
        self.free.div_ceil(3)
    }

    /// Most slots that this lane could get more, were it alone.
    #[must_use]
    pub fn room_for(&self, lane: Uuid) -> usize {
        self.most_of_a_lane().saturating_sub(self.used.get(&lane).copied().unwrap_or(0))
    }

    /// Whether this is room for a quarter of what a lane may hold: worth a claim.
    #[must_use]
    pub const fn is_much(&self, room: usize) -> bool {
        room > 0 && room * 4 >= self.most_of_a_lane()
    }

    /// How many slots each of these lanes gets, at most `most` in all, when it wants so many: one after the other, the lane
    /// with the fewest first.
    #[must_use]
    pub fn divide(&self, wants: &[(Uuid, usize)], most: usize) -> Vec<(Uuid, usize)> {
        let mut given = vec![0; wants.len()];
        let used = |lane| self.used.get(&lane).copied().unwrap_or(0);
        let lanes = wants.iter().enumerate().filter(|(_, (_, want))| *want > 0);
        let mut next: BinaryHeap<_> = lanes.map(|(place, (lane, _))| Reverse((used(*lane), place))).collect();
        for taken in 0..most.min(self.free) {
            let Some(Reverse((holds, place))) = next.pop() else { break };
            if !may_take(self.free - taken, holds) {
                break;
            }
            given[place] += 1;
            if given[place] < wants[place].1 {
                next.push(Reverse((holds + 1, place)));
            }
        }
        let given = wants.iter().zip(given).filter(|(_, given)| *given > 0);
        given.map(|((lane, _), given)| (*lane, given)).collect()
    }
}

/// Whether a lane that holds `used` slots may take another one while `free` are free: fewer than a third of these,
/// rounded up. So one lane alone settles at a quarter of all, `n` lanes at one part in `n + 3`, and some always stay free.
pub(super) const fn may_take(free: usize, used: usize) -> bool {
    used < free.div_ceil(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `lanes` lanes hold in the end that all take whatever they may and never give back.
    fn settled(slots: usize, lanes: usize) -> Vec<usize> {
        let mut used = vec![0; lanes];
        let mut free = slots;
        while let Some(lane) =
            (0..lanes).filter(|lane| may_take(free, used[*lane])).min_by_key(|lane| used[*lane])
        {
            used[lane] += 1;
            free -= 1;
        }
        used
    }

    #[test]
    fn one_lane_alone_settles_at_a_quarter() {
        let table = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (8, 2), (100, 25), (1_024, 256), (4_096, 1_024)];
        for (slots, holds) in table {
            assert_eq!(settled(slots, 1), [holds], "{slots} slots");
        }
    }

    #[test]
    fn lanes_that_hang_always_leave_room() {
        for (lanes, most) in [(2, 205), (3, 171), (10, 79), (100, 10), (1_000, 2)] {
            let used = settled(1_024, lanes);
            assert_eq!(used.iter().max(), Some(&most), "{lanes} lanes");
            assert!(used.iter().sum::<usize>() < 1_024, "{lanes} lanes leave room");
        }
    }

    #[test]
    fn a_lane_without_a_slot_gets_one_as_long_as_there_is_any() {
        assert!(may_take(1, 0));
        assert!(!may_take(1, 1) && !may_take(0, 0));
        assert!(may_take(4, 1) && !may_take(3, 1));
    }

    const fn lane(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn all_free(free: usize) -> Share {
        Share { free, used: HashMap::new() }
    }

    #[test]
    fn slots_are_divided_as_if_they_had_been_taken_one_by_one() {
        let given = all_free(1_024).divide(&[(lane(1), 512), (lane(2), 3)], 512);
        assert_eq!(given, [(lane(1), 256), (lane(2), 3)]);
        let many: Vec<_> = (1..=100).map(|number| (lane(number), 20)).collect();
        let given: usize = all_free(1_024).divide(&many, 2_048).iter().map(|(_, given)| given).sum();
        assert!((900..1_024).contains(&given), "a hundred lanes leave room: {given}");
    }

    #[test]
    fn what_a_lane_holds_counts_and_never_more_is_given_than_is_free_or_asked_for() {
        let used = HashMap::from([(lane(1), 10)]);
        assert_eq!(Share { free: 30, used: used.clone() }.divide(&[(lane(1), 5)], 512), []);
        assert_eq!(Share { free: 31, used }.divide(&[(lane(1), 5)], 512), [(lane(1), 1)]);
        let others: Vec<_> = (2..40).map(|number| (lane(number), 1)).collect();
        assert_eq!(all_free(7).divide(&others, 512).len(), 7);
        assert_eq!(all_free(1_024).divide(&[(lane(1), 9)], 4), [(lane(1), 4)]);
        assert_eq!(all_free(1_024).divide(&[(lane(1), 0)], 4), []);
    }
}
