//! The send slots of a worker, and which lanes hold them. Dropping a slot releases it; there is no other way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{Backlog, Holder, fair_share::Share, send_rate::SendRates};

/// The slots. Clones share them.
#[derive(Clone)]
pub struct SendSlots {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    freed: watch::Sender<u64>,
    backlog: Backlog,
}

#[derive(Default)]
struct State {
    share: Share,
    rates: SendRates,
}

/// One slot, held for a lane until it is dropped.
pub struct SendSlot {
    holder: Holder,
    inner: Arc<Inner>,
}

/// Free slots that belong to no lane yet. What is left of them is free again when this is dropped.
pub struct ReservedSlots {
    count: usize,
    inner: Arc<Inner>,
}

impl SendSlots {
    /// That many free slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let share = Share { free: slots, ..Share::default() };
        let state = Mutex::new(State { share, ..State::default() });
        let (freed, backlog) = (watch::Sender::new(0), Backlog::default());
        Self { inner: Arc::new(Inner { state, freed, backlog }) }
    }

    /// Takes a slot for a delivery that was handed over, if the shares of its lane and of its group allow one more.
    /// While the lane has a backlog, half of its share is left to claims.
    #[must_use]
    pub fn try_acquire(&self, holder: &Holder) -> Option<SendSlot> {
        let has_backlog = self.inner.backlog.contains(holder.lane);
        let mut state = self.inner.state();
        if !state.share.may_hand_over(holder, has_backlog) {
            return None;
        }
        state.share.occupy(holder);
        drop(state);
        Some(SendSlot { holder: *holder, inner: Arc::clone(&self.inner) })
    }

    /// Takes at most `most` slots that no lane gets yet.
    #[must_use]
    pub fn reserve(&self, most: usize) -> ReservedSlots {
        let mut state = self.inner.state();
        let count = most.min(state.share.free);
        state.share.free -= count;
        drop(state);
        ReservedSlots { count, inner: Arc::clone(&self.inner) }
    }

    /// The lanes of which more is due than they have slots for.
    #[must_use]
    pub fn backlog(&self) -> &Backlog {
        &self.inner.backlog
    }

    /// Those of these lanes whose receivers set their pace: they hold slots and are not fast, or those of their group hold all
    /// that it may.
    #[must_use]
    pub fn slow(&self, lanes: impl IntoIterator<Item = Holder>) -> Vec<Uuid> {
        let (state, now) = (self.inner.state(), Instant::now());
        let is_full =
            |holder: &Holder| state.share.used.holds(holder.lane) || state.share.room_for(holder) == 0;
        let is_slow = |holder: &Holder| is_full(holder) && !state.rates.is_fast(holder.lane, now);
        lanes.into_iter().filter(is_slow).map(|holder| holder.lane).collect()
    }

    /// What is free and what lanes hold at this moment.
    #[must_use]
    pub fn share(&self) -> Share {
        self.inner.state().share.clone()
    }

    /// Changes whenever a slot is released.
    #[must_use]
    pub fn freed(&self) -> watch::Receiver<u64> {
        self.inner.freed.subscribe()
    }
}

impl ReservedSlots {
    /// How many are left.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Gives one of them to a lane.
    ///
    /// # Panics
    /// When none is left: the caller never claims more than it reserved for.
    #[must_use]
    pub fn hold(&mut self, holder: Holder) -> SendSlot {
        self.count = self.count.checked_sub(1).expect("never more is claimed than was reserved for");
        self.inner.state().share.used.add(&holder);
        SendSlot { holder, inner: Arc::clone(&self.inner) }
    }
}

impl Drop for ReservedSlots {
    fn drop(&mut self) {
        if self.count > 0 {
            self.inner.state().share.free += self.count;
            self.inner.notify();
        }
    }
}

impl Drop for SendSlot {
    fn drop(&mut self) {
        let (mut state, now) = (self.inner.state(), Instant::now());
        state.share.free += 1;
        state.share.used.remove(&self.holder);
        state.rates.ended(self.holder.lane, now);
        drop(state);
        self.inner.notify();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.freed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Group;

    const LANE: Holder = Holder { lane: Uuid::from_u128(1), group: None };

    #[test]
    fn a_lane_takes_slots_up_to_its_share_and_again_when_one_is_given_back() {
        let slots = SendSlots::new(8);
        let first = slots.try_acquire(&LANE).expect("one of eight");
        let _second = slots.try_acquire(&LANE).expect("two of eight: a quarter");
        assert!(slots.try_acquire(&LANE).is_none());
        let freed = slots.freed();
        drop(first);
        assert!(freed.has_changed().expect("the slots are there"));
        assert!(slots.try_acquire(&LANE).is_some());
        assert_eq!((slots.share().free, slots.share().room_for(&LANE)), (7, 2));
    }

    #[test]
    fn half_of_the_share_of_a_lane_with_a_backlog_is_left_to_claims() {
        let slots = SendSlots::new(100);
        let taken = || std::iter::from_fn(|| slots.try_acquire(&LANE)).collect::<Vec<_>>();
        assert_eq!(taken().len(), 25);
        slots.backlog().add([LANE]);
        let held = taken();
        assert_eq!(held.len(), 15);
        assert_eq!(slots.share().room_for(&LANE), 14, "claims go by the whole share");
        slots.backlog().record_yield(LANE.lane, 1, 0, Instant::now());
        assert_eq!(taken().len(), 10, "the backlog is gone");
    }

    #[test]
    fn a_lane_that_its_group_keeps_out_counts_as_slow() {
        let of_tenant = |lane| Holder { lane: Uuid::from_u128(lane), group: Some(Group::Tenant(7)) };
        let slots = SendSlots::new(4);
        let mut reserved = slots.reserve(3);
        let _held: Vec<SendSlot> = (1..=3).map(|lane| reserved.hold(of_tenant(lane))).collect();
        let free = Holder { lane: Uuid::from_u128(9), group: None };
        assert_eq!(slots.slow([of_tenant(8), free, of_tenant(1)]), [8, 1].map(Uuid::from_u128));
    }

    #[test]
    fn what_is_reserved_is_not_free_and_what_is_left_of_it_is_free_again() {
        let slots = SendSlots::new(3);
        let mut reserved = slots.reserve(9);
        assert_eq!((reserved.count(), slots.share().free), (3, 0));
        assert!(slots.try_acquire(&LANE).is_none());
        let slot = reserved.hold(LANE);
        drop(reserved);
        assert_eq!(slots.share().free, 2);
        drop(slot);
        assert_eq!((slots.share().free, slots.share().used.holds(LANE.lane)), (3, false));
    }
}
