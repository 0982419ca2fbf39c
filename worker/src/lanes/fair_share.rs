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
    pub(super) fn occupy(&mut self, holder: &Holder) {
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
            now.occupy(holder);
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
mod tests;
