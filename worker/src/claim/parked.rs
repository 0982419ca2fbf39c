//! Deliveries that hints said are due, not yet claimed: they wait here, lane by lane, until their lane may have a slot. Never
//! many of a lane, and never for long: the rest is the dispatcher's.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use super::share::{Candidate, Share};

/// The least of a lane that may wait, however few slots there are.
const LEAST: usize = 16;
/// How long a delivery waits for a slot of its lane. Far below the time for which its hint is trusted.
const PATIENCE: Duration = Duration::from_secs(1);

/// What waits, lane by lane, oldest first.
pub(super) struct Parked {
    /// Most of one lane.
    most: usize,
    lanes: BTreeMap<Uuid, VecDeque<(Instant, Uuid)>>,
}

impl Parked {
    /// Of each lane twice as many may wait as there are slots: a lane that floods the queue is worked off from here, without
    /// a word to the database.
    pub(super) fn new(slots: usize) -> Self {
        Self { most: (slots * 2).max(LEAST), lanes: BTreeMap::new() }
    }

    /// Keeps these; returns those that find no place.
    pub(super) fn park(&mut self, asked: Vec<Candidate>, now: Instant) -> Vec<Candidate> {
        let until = now + PATIENCE;
        let mut left = vec![];
        for (id, lane) in asked {
            let waiting = self.lanes.entry(lane).or_default();
            if waiting.len() < self.most {
                waiting.push_back((until, id));
            } else {
                left.push((id, lane));
            }
        }
        left
    }

    /// Takes at most `most` that get a slot now.
    pub(super) fn take(&mut self, share: &Share, most: usize) -> Vec<Uuid> {
        let mut granted = share.admit(&self.next(share));
        granted.truncate(most);
        for (_, lane) in &granted {
            self.pop(*lane);
        }
        granted.into_iter().map(|(id, _)| id).collect()
    }

    /// Takes those that have waited too long.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Candidate> {
        self.take_until(|until| until <= now)
    }

    /// Takes all.
    pub(super) fn all(&mut self) -> Vec<Candidate> {
        self.take_until(|_| true)
    }

    /// Whether one would get a slot now.
    pub(super) fn has_room(&self, share: &Share) -> bool {
        self.lanes.keys().any(|lane| share.room_for(*lane) > 0)
    }

    /// Whether some lane has room for all of it that waits, or for a quarter of what it may hold.
    pub(super) fn has_much_room(&self, share: &Share) -> bool {
        self.lanes.iter().any(|(lane, waiting)| {
            let room = share.room_for(*lane);
            room > 0 && room >= waiting.len() || share.is_much(room)
        })
    }

    /// When the first has waited too long; none when nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(|waiting| Some(waiting.front()?.0)).min()
    }

    /// The first ones of each lane, no more than it could get.
    fn next(&self, share: &Share) -> Vec<Candidate> {
        let first = self.lanes.iter().flat_map(|(lane, waiting)| {
            waiting.iter().take(share.room_for(*lane)).map(|(_, id)| (*id, *lane))
        });
        first.collect()
    }

    fn take_until(&mut self, is_over: impl Fn(Instant) -> bool) -> Vec<Candidate> {
        let mut taken = vec![];
        for (lane, waiting) in &mut self.lanes {
            while let Some((_, id)) = waiting.pop_front_if(|(until, _)| is_over(*until)) {
                taken.push((id, *lane));
            }
        }
        self.lanes.retain(|_, waiting| !waiting.is_empty());
        taken
    }

    fn pop(&mut self, lane: Uuid) {
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            waiting.pop_front();
            if waiting.is_empty() {
                self.lanes.remove(&lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(lane: u128, count: u128) -> Vec<Candidate> {
        (0..count).map(|n| (Uuid::from_u128(lane * 10_000 + n), Uuid::from_u128(lane))).collect()
    }

    fn free(free: usize) -> Share {
        Share { free, used: [].into() }
    }

    #[test]
    fn no_more_of_a_lane_wait_than_twice_the_slots_and_the_rest_is_told() {
        for (slots, most) in [(1, 16), (8, 16), (9, 18), (1_024, 2_048)] {
            let mut parked = Parked::new(slots);
            assert!(parked.park(ids(1, most), Instant::now()).is_empty(), "{slots} slots");
            let left = parked.park(ids(2, most + 1), Instant::now());
            assert_eq!(left, ids(2, most + 1)[most as usize..], "{slots} slots");
        }
    }

    #[test]
    fn who_waited_longest_goes_first_as_far_as_its_lane_may() {
        let mut parked = Parked::new(8);
        parked.park([ids(1, 9), ids(2, 1)].concat(), Instant::now());
        assert!(!parked.has_room(&free(0)));
        let taken = parked.take(&free(9), 512);
        assert_eq!(taken, [ids(1, 1)[0].0, ids(2, 1)[0].0, ids(1, 2)[1].0]);
        let full = Share { free: 9, used: [(Uuid::from_u128(1), 3)].into() };
        assert!(!parked.has_room(&full) && parked.take(&full, 512).is_empty());
        assert_eq!(parked.take(&free(9), 1), [ids(1, 3)[2].0], "no more than are wanted");
        assert_eq!(parked.all().len(), 6);
        assert_eq!(parked.deadline(), None, "nothing waits");
    }

    #[test]
    fn a_quarter_of_what_a_lane_may_hold_is_much_room_and_room_for_all_that_waits() {
        let lane = Uuid::from_u128(1);
        let used = |used| Share { free: 48, used: [(lane, used)].into() };
        let mut parked = Parked::new(64);
        parked.park(ids(1, 8), Instant::now());
        assert!(parked.has_much_room(&used(12)), "4 of 16");
        assert!(parked.has_room(&used(13)) && !parked.has_much_room(&used(13)), "3 of 16");
        assert!(!parked.has_much_room(&used(16)));
        let mut few = Parked::new(64);
        few.park(ids(1, 2), Instant::now());
        assert!(few.has_much_room(&used(14)) && !few.has_much_room(&used(15)), "both, or one of both");
    }

    #[test]
    fn nobody_waits_longer_than_a_second() {
        let (mut parked, start) = (Parked::new(8), Instant::now());
        parked.park(ids(1, 1), start);
        parked.park(ids(2, 1), start + PATIENCE / 2);
        assert!(parked.expired(start + PATIENCE - Duration::from_millis(1)).is_empty());
        assert_eq!(parked.expired(start + PATIENCE), ids(1, 1));
        assert_eq!(parked.deadline(), Some(start + PATIENCE * 3 / 2));
    }
}
