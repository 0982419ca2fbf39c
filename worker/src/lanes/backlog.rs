//! Lanes of which more is due than they had slots for. This worker claims what is due of them whenever they have room, until
//! nothing is left.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{Holder, Share};

/// Most lanes at a time; others are found by the next scan.
const MOST: usize = 256;
/// Most lanes of one claim.
const LANES: usize = 64;
/// How long a lane rests that gave less than it might: what comes in meanwhile is claimed together.
const REST: Duration = Duration::from_millis(10);

/// The lanes. Clones share them.
#[derive(Clone, Default)]
pub struct Backlog {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// The lane whose turn is next comes first; each with the time until which it rests.
    lanes: VecDeque<(Holder, Instant)>,
}

impl Backlog {
    /// From now on these are claimed whenever they have room.
    pub fn add(&self, lanes: impl IntoIterator<Item = Holder>) {
        let mut state = self.state();
        for holder in lanes {
            if state.lanes.len() < MOST && !state.contains(holder.lane) {
                state.lanes.push_back((holder, Instant::now()));
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Whether this lane is one of them.
    #[must_use]
    pub fn contains(&self, lane: Uuid) -> bool {
        self.state().contains(lane)
    }

    /// Divides at most `most` slots among the lanes that do not rest and have room; those that get some are last in turn.
    #[must_use]
    pub fn assign_slots(&self, share: &Share, most: usize, now: Instant) -> Vec<(Holder, usize)> {
        let mut state = self.state();
        let ready: Vec<(Holder, usize)> = state
            .ready(now)
            .map(|holder| (holder, share.room_for(&holder)))
            .filter(|(_, room)| *room > 0)
            .take(LANES)
            .collect();
        let given = share.divide(&ready, most);
        given.iter().for_each(|(holder, _)| state.move_to_end(holder.lane));
        given
    }

    /// Notes what a lane gave of what it was asked for. One that gave nothing has no backlog any more.
    pub fn record_yield(&self, lane: Uuid, wanted: usize, rows: usize, now: Instant) {
        let mut state = self.state();
        if rows == 0 {
            state.lanes.retain(|(known, _)| known.lane != lane);
        } else if rows < wanted {
            state.rest(lane, now + REST);
        }
    }

    /// All of them.
    #[must_use]
    pub fn lanes(&self) -> Vec<Holder> {
        self.state().lanes.iter().map(|(holder, _)| *holder).collect()
    }

    /// Whether a lane that does not rest has room that is worth a claim.
    #[must_use]
    pub fn has_room(&self, share: &Share, now: Instant) -> bool {
        self.state().ready(now).any(|holder| share.is_worth_a_claim(&holder))
    }

    /// Waits until the answer of [`Backlog::has_room`] at `asked_at` may be another, except for a slot that is freed.
    pub async fn changed(&self, asked_at: Instant) {
        let rests = |(_, until): &(Holder, Instant)| (*until > asked_at).then_some(*until);
        let next = self.state().lanes.iter().filter_map(rests).min();
        let rested = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.changed.notified() => {}
            () = rested => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn contains(&self, lane: Uuid) -> bool {
        self.lanes.iter().any(|(known, _)| known.lane == lane)
    }

    fn ready(&self, now: Instant) -> impl Iterator<Item = Holder> {
        self.lanes.iter().filter(move |(_, rests_until)| *rests_until <= now).map(|(holder, _)| *holder)
    }

    fn move_to_end(&mut self, lane: Uuid) {
        if let Some(place) = self.lanes.iter().position(|(known, _)| known.lane == lane)
            && let Some(entry) = self.lanes.remove(place)
        {
            self.lanes.push_back(entry);
        }
    }

    fn rest(&mut self, lane: Uuid, until: Instant) {
        if let Some((_, rests_until)) = self.lanes.iter_mut().find(|(known, _)| known.lane == lane) {
            *rests_until = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Holder = lane(1);
    const B: Holder = lane(2);

    const fn lane(number: u128) -> Holder {
        Holder { lane: Uuid::from_u128(number), group: None }
    }

    /// So many free slots beside those that lanes hold.
    fn share(free: usize, used: &[(Holder, usize)]) -> Share {
        let held: usize = used.iter().map(|(_, held)| held).sum();
        let mut share = Share { free: free + held, ..Share::default() };
        for (holder, held) in used {
            (0..*held).for_each(|_| share.occupy(holder));
        }
        share
    }

    #[test]
    fn a_lane_is_claimed_until_it_gives_nothing_and_rests_when_it_gives_less_than_it_might() {
        let (backlog, share) = (Backlog::default(), share(1_024, &[]));
        backlog.add([A]);
        let now = Instant::now();
        assert_eq!(backlog.assign_slots(&share, 512, now), [(A, 256)]);
        backlog.record_yield(A.lane, 256, 256, now);
        assert!(backlog.has_room(&share, now), "it gave all: there is more");
        backlog.record_yield(A.lane, 256, 255, now);
        let rests = now + REST - Duration::from_millis(1);
        assert!(!backlog.has_room(&share, rests) && backlog.assign_slots(&share, 512, rests).is_empty());
        assert!(backlog.has_room(&share, now + REST), "it has rested");
        backlog.record_yield(A.lane, 256, 0, now);
        assert!(!backlog.contains(A.lane) && backlog.assign_slots(&share, 512, now + REST).is_empty());
    }

    #[tokio::test]
    async fn a_waiter_wakes_for_a_new_lane_and_for_one_that_has_rested() {
        let backlog = Backlog::default();
        tokio::join!(backlog.changed(Instant::now()), async { backlog.add([A, B]) });
        let now = Instant::now();
        backlog.record_yield(A.lane, 2, 1, now);
        backlog.changed(now).await;
        assert!(Instant::now() >= now + REST);
        backlog.changed(now).await;
        assert!(backlog.has_room(&share(8, &[]), now + REST), "at once when the rest is over by then");
    }

    #[test]
    fn slots_are_divided_and_lanes_that_got_some_go_last() {
        let backlog = Backlog::default();
        backlog.add([A, B, A]);
        let now = Instant::now() + REST;
        assert_eq!(backlog.assign_slots(&share(10, &[]), 512, now), [(A, 2), (B, 2)]);
        assert_eq!(backlog.assign_slots(&share(10, &[(A, 9)]), 1, now), [(B, 1)], "no more than are wanted");
        assert_eq!(backlog.assign_slots(&share(0, &[]), 512, now), []);
    }

    #[test]
    fn lanes_that_hold_their_share_keep_none_from_lanes_behind_them() {
        let backlog = Backlog::default();
        let full: Vec<Holder> = (2..2 + LANES as u128).map(lane).collect();
        backlog.add(full.iter().copied().chain([A]));
        let used: Vec<(Holder, usize)> = full.iter().map(|lane| (*lane, 1)).collect();
        assert_eq!(backlog.assign_slots(&share(3, &used), 512, Instant::now()), [(A, 1)]);
    }

    #[test]
    fn a_quarter_of_what_a_lane_may_hold_is_room_enough() {
        let backlog = Backlog::default();
        backlog.add([A]);
        let has_room = |used| backlog.has_room(&share(48, &[(A, used)]), Instant::now());
        assert!(has_room(12), "4 of 16");
        assert!(!has_room(13), "3 of 16");
    }

    #[test]
    fn no_more_lanes_are_kept_than_there_is_place_for_nor_claimed_at_once() {
        let backlog = Backlog::default();
        backlog.add((0..=MOST as u128).map(lane));
        assert_eq!(backlog.state().lanes.len(), MOST);
        assert_eq!(backlog.assign_slots(&share(1_024, &[]), 512, Instant::now()).len(), LANES);
        assert_eq!(backlog.state().lanes[0].0, lane(LANES as u128), "the others are next");
    }
}
