//! Limited lanes that may have more as soon as a send of theirs is recorded, or at a known time. They are claimed at once
//! then; without it a lane with one send at a time would get one a second.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use crate::lanes::Holder;

/// How long a lane is remembered without being expected again: longer than a send may take.
const REMEMBERED: Duration = Duration::from_secs(75);
/// When a lane that was not expected before is claimed again: a record just before went unnoticed.
const FIRST: Duration = Duration::from_millis(50);
/// Most lanes that are remembered; others wait for the next scan, at most a second.
const MOST: usize = 16_384;

/// The lanes. Clones share them.
#[derive(Clone, Default)]
pub struct Recheck {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// Until when each is remembered, and whom its slots count for.
    expected: HashMap<Uuid, (Instant, Holder)>,
    /// Those that have room now.
    ready: HashSet<Uuid>,
    /// Those that have room later.
    later: HashMap<Uuid, Instant>,
}

impl State {
    /// Whether this lane is expected; one whose time is over is forgotten.
    fn expects(&mut self, lane: &Uuid, now: Instant) -> bool {
        let until = self.expected.get(lane).map(|(until, _)| *until);
        if until.is_some_and(|until| until <= now) {
            self.expected.remove(lane);
        }
        until.is_some_and(|until| until > now)
    }

    fn holder(&self, lane: Uuid) -> Holder {
        self.expected.get(&lane).map_or(Holder::of_lane(lane.into()), |(_, holder)| *holder)
    }
}

impl Recheck {
    /// Notes that sends of these lanes were recorded.
    pub fn settled(&self, lanes: impl IntoIterator<Item = Uuid>) {
        let (mut state, now) = (self.state(), Instant::now());
        if state.expected.is_empty() {
            return;
        }
        let expected: Vec<Uuid> = lanes.into_iter().filter(|lane| state.expects(lane, now)).collect();
        state.ready.extend(&expected);
        drop(state);
        if !expected.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Whether one of these lanes has more to send as soon as a send of it is recorded.
    pub fn expects(&self, mut lanes: impl Iterator<Item = Uuid>) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        !state.expected.is_empty() && lanes.any(|lane| state.expects(&lane, now))
    }

    /// From now on sends of these lanes matter.
    pub(super) fn expect(&self, lanes: impl IntoIterator<Item = Holder>) {
        let now = Instant::now();
        let mut state = self.state();
        for holder in lanes {
            let lane = holder.lane;
            let is_known = state.expected.contains_key(&lane);
            if !is_known && state.expected.len() >= MOST {
                state.expected.retain(|_, (until, _)| *until > now);
                if state.expected.len() >= MOST {
                    continue;
                }
            }
            state.expected.insert(lane, (now + REMEMBERED, holder));
            if !is_known {
                state.later.entry(lane).or_insert(now + FIRST);
            }
        }
    }

    /// This lane has room in so long.
    pub(super) fn again_in(&self, lane: Uuid, wait: Duration) {
        let mut state = self.state();
        if state.later.len() < MOST {
            state.later.insert(lane, Instant::now() + wait);
        }
    }

    /// Waits until some lane has room.
    pub(super) async fn ready(&self) {
        loop {
            let next = {
                let state = self.state();
                if !state.ready.is_empty() {
                    return;
                }
                state.later.values().min().copied()
            };
            match next {
                Some(next) if next <= Instant::now() => return,
                Some(next) => drop(tokio::time::timeout_at(next, self.changed.notified()).await),
                None => self.changed.notified().await,
            }
        }
    }

    /// Takes at most `most` lanes that have room.
    pub(super) fn take_ready(&self, most: usize) -> Vec<Holder> {
        let now = Instant::now();
        let mut state = self.state();
        let due: Vec<Uuid> =
            state.later.iter().filter(|(_, at)| **at <= now).map(|(lane, _)| *lane).collect();
        for lane in due {
            state.later.remove(&lane);
            state.ready.insert(lane);
        }
        let taken: Vec<Uuid> = state.ready.iter().take(most).copied().collect();
        for lane in &taken {
            state.ready.remove(lane);
        }
        taken.into_iter().map(|lane| state.holder(lane)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Group;

    const LANE: Uuid = Uuid::from_u128(1);
    const HOLDER: Holder = Holder { lane: LANE, group: Some(Group::Tenant(7)) };

    #[tokio::test]
    async fn a_lane_is_ready_when_it_was_expected_and_a_send_of_it_settled() {
        let recheck = Recheck::default();
        recheck.settled([LANE]);
        assert!(recheck.take_ready(9).is_empty());
        recheck.expect([HOLDER]);
        recheck.ready().await;
        assert_eq!(recheck.take_ready(9), [HOLDER], "once without a record: one may have come first");
        assert!(recheck.take_ready(9).is_empty());
        recheck.settled([LANE, Uuid::from_u128(2)]);
        recheck.ready().await;
        assert_eq!(recheck.take_ready(9), [HOLDER]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_is_not_expected_again_is_forgotten() {
        let recheck = Recheck::default();
        recheck.expect([HOLDER]);
        tokio::time::advance(REMEMBERED - Duration::from_millis(1)).await;
        assert!(recheck.expects([LANE].into_iter()));
        assert_eq!(recheck.take_ready(9), [HOLDER], "once");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!recheck.expects([LANE].into_iter()));
        recheck.settled([LANE]);
        assert!(recheck.take_ready(9).is_empty() && recheck.state().expected.is_empty());
    }

    #[tokio::test]
    async fn a_lane_is_ready_at_its_time() {
        let recheck = Recheck::default();
        recheck.again_in(LANE, Duration::from_millis(20));
        let start = Instant::now();
        recheck.ready().await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(recheck.take_ready(9), [Holder::of_lane(LANE.into())], "nothing else is known of it");
    }

    #[tokio::test]
    async fn no_more_lanes_are_remembered_than_there_is_place_for() {
        let recheck = Recheck::default();
        recheck.expect((0..=MOST as u128).map(|number| Holder { lane: Uuid::from_u128(number), ..HOLDER }));
        assert_eq!(recheck.state().expected.len(), MOST);
    }
}
