//! The send slots of a worker, and which lanes hold them. A slot is given back by dropping it, never by anything else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::id::LaneId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::share::{Share, may_take};

/// The slots. Clones share them.
#[derive(Clone)]
pub struct Slots {
    permits: Arc<Semaphore>,
    used: Used,
    freed: Arc<Notify>,
}

type Used = Arc<Mutex<HashMap<Uuid, usize>>>;

/// One slot, held for a lane until it is dropped.
pub struct Slot {
    lane: Uuid,
    used: Used,
    freed: Arc<Notify>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Slots {
    /// That many free slots.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(slots)), used: Used::default(), freed: Arc::default() }
    }

    /// The lanes that may not take another slot now.
    #[must_use]
    pub fn full_lanes(&self) -> Vec<Uuid> {
        let free = self.permits.available_permits();
        lock(&self.used).iter().filter(|(_, used)| !may_take(free, **used)).map(|(lane, _)| *lane).collect()
    }

    pub(super) const fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    /// What lanes hold, when `reserved` slots of those that are taken are nobody's yet.
    pub(super) fn share(&self, reserved: usize) -> Share {
        Share { free: self.permits.available_permits() + reserved, used: lock(&self.used).clone() }
    }

    /// Waits until a lane has given a slot back since this was last asked.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Gives a permit to a lane.
    pub(super) fn hold(&self, lane: LaneId, permit: OwnedSemaphorePermit) -> Slot {
        *lock(&self.used).entry(lane.0).or_insert(0) += 1;
        let (used, freed) = (Arc::clone(&self.used), Arc::clone(&self.freed));
        Slot { lane: lane.0, used, freed, permit: Some(permit) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.let_go();
        // Whoever is told finds the slot free.
        self.permit = None;
        self.freed.notify_one();
    }
}

impl Slot {
    fn let_go(&self) {
        let mut used = lock(&self.used);
        if let Some(count) = used.get_mut(&self.lane) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.lane);
            }
        }
    }
}

fn lock(used: &Used) -> MutexGuard<'_, HashMap<Uuid, usize>> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_is_full_while_it_holds_its_share_and_no_longer() {
        let slots = Slots::new(8);
        let lane = LaneId::from(Uuid::from_u128(1));
        let take = || slots.hold(lane, Arc::clone(slots.permits()).try_acquire_owned().expect("free"));
        let first = take();
        assert!(slots.full_lanes().is_empty(), "one of eight");
        let _second = take();
        assert_eq!(slots.full_lanes(), [lane.0], "two of eight: a quarter");
        drop(first);
        assert!(slots.full_lanes().is_empty());
        assert_eq!(slots.share(0).used, HashMap::from([(lane.0, 1)]));
    }
}
