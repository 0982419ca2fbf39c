//! How many send slots of a worker one lane may hold: a share of what is free, not of what there is (decision 7). Pure.

use std::collections::HashMap;

use uuid::Uuid;

/// A delivery that could be claimed, and its lane; nil where nobody said which.
pub type Candidate = (Uuid, Uuid);

/// The slots of a worker at one moment.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// Slots that nobody holds.
    pub(super) free: usize,
    /// Slots that lanes hold; a lane that is not named holds none.
    pub(super) used: HashMap<Uuid, usize>,
}

impl Share {
    /// Most slots that one lane may hold now.
    pub(super) const fn most_of_a_lane(&self) -> usize {
        self.free.div_ceil(3)
    }

    /// Most slots that this lane could get more, were it alone.
    pub(super) fn room_for(&self, lane: Uuid) -> usize {
        self.most_of_a_lane().saturating_sub(self.used.get(&lane).copied().unwrap_or(0))
    }

    /// Whether this is room for a quarter of what a lane may hold: worth a claim.
    pub(super) const fn is_much(&self, room: usize) -> bool {
        room > 0 && room * 4 >= self.most_of_a_lane()
    }

    /// Which of these candidates get a slot, the lane with the fewest first.
    pub(super) fn admit(&self, candidates: &[Candidate]) -> Vec<Candidate> {
        let mut held = self.used.clone();
        let mut ranked: Vec<(usize, Candidate)> = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let ahead = held.entry(candidate.1).or_insert(0);
            ranked.push((*ahead, *candidate));
            *ahead += 1;
        }
        ranked.sort_by_key(|(ahead, (id, _))| (*ahead, *id));
        let is_granted = |taken: usize, ahead: usize| taken < self.free && may_take(self.free - taken, ahead);
        let granted = ranked.into_iter().enumerate().take_while(|(n, (ahead, _))| is_granted(*n, *ahead));
        granted.map(|(_, (_, candidate))| candidate).collect()
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

    fn ids(lane: u128, count: u128) -> Vec<(Uuid, Uuid)> {
        (0..count).map(|n| (Uuid::from_u128(lane * 10_000 + n), Uuid::from_u128(lane))).collect()
    }

    #[test]
    fn a_batch_is_shared_out_as_if_its_ids_had_come_one_by_one() {
        let batch = [ids(1, 512), ids(2, 3)].concat();
        let granted = Share { free: 1_024, used: HashMap::new() }.admit(&batch);
        assert_eq!(granted.iter().filter(|(_, lane)| *lane == Uuid::from_u128(1)).count(), 256);
        assert_eq!(granted.iter().filter(|(_, lane)| *lane == Uuid::from_u128(2)).count(), 3);
        assert_eq!(granted.len(), 259);
        let many: Vec<_> = (1..=100).flat_map(|lane| ids(lane, 20)).collect();
        let granted = Share { free: 1_024, used: HashMap::new() }.admit(&many);
        assert!((900..1_024).contains(&granted.len()), "a hundred lanes leave room: {}", granted.len());
    }

    #[test]
    fn what_a_lane_holds_counts_and_never_more_is_granted_than_is_free() {
        let used = HashMap::from([(Uuid::from_u128(1), 10)]);
        assert_eq!(Share { free: 30, used: used.clone() }.admit(&ids(1, 5)), []);
        let granted = Share { free: 31, used }.admit(&ids(1, 5));
        assert_eq!(granted.len(), 1);
        let others: Vec<_> = (2..40).flat_map(|lane| ids(lane, 1)).collect();
        let granted = Share { free: 7, used: HashMap::new() }.admit(&others);
        assert_eq!(granted.len(), 7);
    }
}
