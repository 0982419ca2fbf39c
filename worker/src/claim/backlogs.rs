//! Lanes of which more is due than hints may name. Accepts do not hint them and looks leave them alone: this worker claims
//! what is due of them itself, as far as their share of its slots goes, until nothing is left.

use std::{
    collections::VecDeque,
    iter::repeat_n,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::share::Share;

/// Most lanes at a time; the dispatcher goes on hinting others.
const MOST: usize = 256;
/// Most lanes of one claim.
const LANES: usize = 64;
/// How long a lane rests that had less than it might give: what comes in meanwhile is claimed together.
const REST: Duration = Duration::from_millis(10);

/// The lanes. Clones share them.
#[derive(Clone, Default)]
pub struct Backlogs {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// Whose turn it is stands first.
    lanes: VecDeque<(Uuid, Instant)>,
    /// Rows of one lane that may be under way on all workers: where a claim stops to look for those that are not.
    window: usize,
}

/// What is to be claimed of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The lane.
    pub lane: Uuid,
    /// Rows, at most.
    pub rows: usize,
}

impl Backlogs {
    /// From now on these are claimed here. `window`: rows of one lane that may be under way on all workers.
    pub fn add(&self, lanes: &[Uuid], window: usize) {
        let mut state = self.state();
        state.window = window;
        for lane in lanes {
            if state.lanes.len() < MOST && !state.lanes.iter().any(|(known, _)| known == lane) {
                state.lanes.push_back((*lane, Instant::now()));
            }
        }
        self.changed.notify_one();
    }

    /// The lanes that looks leave alone.
    #[must_use]
    pub fn lanes(&self) -> Vec<Uuid> {
        self.state().lanes.iter().map(|(lane, _)| *lane).collect()
    }

    pub(super) fn window(&self) -> usize {
        self.state().window
    }

    /// Shares at most `most` slots out among the lanes that do not rest, and sends these to the end of the line.
    pub(super) fn take(&self, share: &Share, most: usize, now: Instant) -> Vec<Wanted> {
        let mut state = self.state();
        let ready: Vec<Uuid> = state.ready(now).take(LANES).collect();
        let asked = ready.iter().flat_map(|lane| repeat_n((Uuid::nil(), *lane), share.room_for(*lane)));
        let mut granted = share.admit(&asked.collect::<Vec<_>>());
        granted.truncate(most);
        let rows = |lane| granted.iter().filter(|(_, granted)| *granted == lane).count();
        let wanted: Vec<Wanted> = ready
            .into_iter()
            .map(|lane| Wanted { lane, rows: rows(lane) })
            .filter(|wanted| wanted.rows > 0)
            .collect();
        for Wanted { lane, .. } in &wanted {
            state.last(*lane);
        }
        wanted
    }

    /// Takes note of what a lane gave. One that gave nothing has no backlog any more: it is the dispatcher's again.
    pub(super) fn gave(&self, wanted: Wanted, rows: usize, now: Instant) {
        let mut state = self.state();
        if rows == 0 {
            state.lanes.retain(|(lane, _)| *lane != wanted.lane);
        } else if rows < wanted.rows {
            state.rest(wanted.lane, now + REST);
        }
    }

    /// Whether a lane that does not rest may have a quarter of what it may hold, or more.
    pub(super) fn have_room(&self, share: &Share, now: Instant) -> bool {
        self.state().ready(now).any(|lane| share.is_much(share.room_for(lane)))
    }

    /// Waits until something may have changed about what [`Backlogs::have_room`] answered at `asked_at`, but for a slot that
    /// comes free.
    pub(super) async fn changed(&self, asked_at: Instant) {
        let rests = |(_, until): &(Uuid, Instant)| (*until > asked_at).then_some(*until);
        let next = self.state().lanes.iter().filter_map(rests).min();
        match next {
            Some(next) => drop(timeout_at(next, self.changed.notified()).await),
            None => self.changed.notified().await,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ready(&self, now: Instant) -> impl Iterator<Item = Uuid> {
        self.lanes.iter().filter(move |(_, rests_until)| *rests_until <= now).map(|(lane, _)| *lane)
    }

    fn last(&mut self, lane: Uuid) {
        if let Some(place) = self.lanes.iter().position(|(known, _)| *known == lane)
            && let Some(entry) = self.lanes.remove(place)
        {
            self.lanes.push_back(entry);
        }
    }

    fn rest(&mut self, lane: Uuid, until: Instant) {
        if let Some((_, rests_until)) = self.lanes.iter_mut().find(|(known, _)| *known == lane) {
            *rests_until = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    fn share(free: usize, used: &[(Uuid, usize)]) -> Share {
        Share { free, used: used.iter().copied().collect() }
    }

    #[test]
    fn a_lane_is_claimed_until_it_gives_nothing_and_rests_when_it_gives_less_than_it_might() {
        let (backlogs, share) = (Backlogs::default(), share(1_024, &[]));
        backlogs.add(&[A], 512);
        let (all, now) = (Wanted { lane: A, rows: 256 }, Instant::now());
        assert_eq!((backlogs.take(&share, 512, now), backlogs.window()), (vec![all], 512));
        backlogs.gave(all, 256, now);
        assert!(backlogs.have_room(&share, now), "it gave all: there is more");
        backlogs.gave(all, 255, now);
        let rests = now + REST - Duration::from_millis(1);
        assert!(!backlogs.have_room(&share, rests) && backlogs.take(&share, 512, rests).is_empty());
        assert!(backlogs.have_room(&share, now + REST), "it has rested");
        backlogs.gave(all, 0, now);
        assert_eq!((backlogs.lanes(), backlogs.take(&share, 512, now + REST)), (vec![], vec![]));
    }

    #[tokio::test]
    async fn who_waits_for_a_change_is_told_of_a_new_lane_and_of_one_that_has_rested() {
        let backlogs = Backlogs::default();
        tokio::join!(backlogs.changed(Instant::now()), async { backlogs.add(&[A, B], 64) });
        let now = Instant::now();
        backlogs.gave(Wanted { lane: A, rows: 2 }, 1, now);
        backlogs.changed(now).await;
        assert!(Instant::now() >= now + REST);
        backlogs.changed(now).await;
        assert!(
            backlogs.have_room(&share(8, &[]), now + REST),
            "it is told at once when the rest is over by then"
        );
    }

    #[test]
    fn slots_are_shared_out_and_whoever_got_some_goes_last() {
        let (backlogs, now) = (Backlogs::default(), Instant::now());
        backlogs.add(&[A, B, A], 64);
        assert_eq!(backlogs.lanes(), [A, B], "each once");
        let now = now + REST;
        let got: Vec<usize> =
            backlogs.take(&share(10, &[]), 512, now).iter().map(|wanted| wanted.rows).collect();
        assert_eq!(got, [2, 2], "as if they had been asked for one by one");
        let wanted = backlogs.take(&share(10, &[(A, 9)]), 1, now);
        assert_eq!(wanted, [Wanted { lane: B, rows: 1 }], "no more than is wanted");
        assert_eq!(backlogs.take(&share(0, &[]), 512, now), []);
    }

    #[test]
    fn a_quarter_of_what_a_lane_may_hold_is_room_enough() {
        let backlogs = Backlogs::default();
        backlogs.add(&[A], 64);
        let have_room = |used| backlogs.have_room(&share(48, &[(A, used)]), Instant::now());
        assert!(have_room(12), "4 of 16");
        assert!(!have_room(13), "3 of 16");
    }

    #[test]
    fn no_more_lanes_are_kept_than_there_is_place_for_nor_claimed_at_once() {
        let backlogs = Backlogs::default();
        let lanes: Vec<Uuid> = (0..=MOST as u128).map(Uuid::from_u128).collect();
        backlogs.add(&lanes, 64);
        assert_eq!(backlogs.lanes(), lanes[..MOST]);
        assert_eq!(backlogs.take(&share(1_024, &[]), 512, Instant::now()).len(), LANES);
        assert_eq!(backlogs.lanes()[0], lanes[LANES], "the others are next");
    }
}
