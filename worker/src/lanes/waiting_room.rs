//! Handed-over deliveries whose lane holds its share of the slots: they wait a moment in this process for a slot of their
//! lane. A lane that does not move within that moment is refused, so that it holds up nobody else's.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::slots::{Slot, Slots};

/// How long a delivery waits for a slot of its lane at most. Far below its lease.
pub const MAX_WAIT: Duration = Duration::from_millis(500);
/// Most deliveries of one lane that wait; what comes then holds up the job that carries it.
const MOST_OF_A_LANE: usize = 64;

/// What waits, lane by lane, oldest first.
pub struct WaitingRoom<T> {
    slots: Slots,
    lanes: Mutex<HashMap<Uuid, VecDeque<(Instant, T)>>>,
    /// Changes when something begins or ceases to wait.
    changed: watch::Sender<u64>,
}

/// What became of a delivery.
pub enum Admission<T> {
    /// It has a slot.
    Now(T, Slot),
    /// It waits for one.
    Waits,
    /// Its lane does not move: it is to be released.
    Refused(T),
}

impl<T> WaitingRoom<T> {
    /// A room in front of these slots.
    #[must_use]
    pub fn new(slots: Slots) -> Self {
        Self { slots, lanes: Mutex::default(), changed: watch::Sender::new(0) }
    }

    /// Gives a slot, a place to wait, or neither. While the lane moves but has no place, the caller waits here, at most until
    /// this time: it may hold up other lanes' deliveries.
    pub async fn admit(&self, lane: Uuid, mut item: T, until: Instant) -> Admission<T> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            item = match self.try_admit(lane, item) {
                Admission::Refused(item) if Instant::now() < until && self.moves(lane) => item,
                admission => return admission,
            };
            let _ = timeout_at(until, changed.changed()).await;
        }
    }

    fn try_admit(&self, lane: Uuid, item: T) -> Admission<T> {
        let mut lanes = self.lanes();
        let is_first = lanes.get(&lane).is_none_or(VecDeque::is_empty);
        if is_first && let Some(slot) = self.slots.try_take(lane) {
            return Admission::Now(item, slot);
        }
        let waiting = lanes.entry(lane).or_default();
        let is_stuck = waiting.front().is_some_and(|(since, _)| since.elapsed() >= MAX_WAIT);
        if is_stuck || waiting.len() >= MOST_OF_A_LANE {
            return Admission::Refused(item);
        }
        waiting.push_back((Instant::now(), item));
        drop(lanes);
        self.tell();
        Admission::Waits
    }

    fn moves(&self, lane: Uuid) -> bool {
        let lanes = self.lanes();
        let oldest = lanes.get(&lane).and_then(VecDeque::front);
        oldest.is_none_or(|(since, _)| since.elapsed() < MAX_WAIT)
    }

    /// Takes what may have a slot now, oldest of each lane first.
    #[must_use]
    pub fn take_startable(&self) -> Vec<(T, Slot)> {
        let mut taken = vec![];
        let mut lanes = self.lanes();
        for (lane, waiting) in lanes.iter_mut() {
            while !waiting.is_empty()
                && let Some(slot) = self.slots.try_take(*lane)
            {
                taken.extend(waiting.pop_front().map(|(_, item)| (item, slot)));
            }
        }
        self.end_taking(lanes, !taken.is_empty());
        taken
    }

    /// Takes everything of the lanes whose oldest has waited too long.
    #[must_use]
    pub fn take_overdue(&self) -> Vec<(Uuid, T)> {
        self.take_where(|waiting| waiting.front().is_some_and(|(since, _)| since.elapsed() >= MAX_WAIT))
    }

    /// Takes all.
    #[must_use]
    pub fn take_all(&self) -> Vec<(Uuid, T)> {
        self.take_where(|_| true)
    }

    fn take_where(&self, is_wanted: impl Fn(&VecDeque<(Instant, T)>) -> bool) -> Vec<(Uuid, T)> {
        let mut taken = vec![];
        let mut lanes = self.lanes();
        for (lane, waiting) in lanes.iter_mut().filter(|(_, waiting)| is_wanted(waiting)) {
            taken.extend(waiting.drain(..).map(|(_, item)| (*lane, item)));
        }
        self.end_taking(lanes, !taken.is_empty());
        taken
    }

    fn end_taking(&self, mut lanes: MutexGuard<'_, HashMap<Uuid, VecDeque<(Instant, T)>>>, any: bool) {
        lanes.retain(|_, waiting| !waiting.is_empty());
        drop(lanes);
        if any {
            self.tell();
        }
    }

    /// When the first has waited too long; none when nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes();
        lanes.values().filter_map(|waiting| Some(waiting.front()?.0 + MAX_WAIT)).min()
    }

    /// Changes when something begins or ceases to wait.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Uuid, VecDeque<(Instant, T)>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    fn slot<T>(admission: Admission<T>) -> Slot {
        match admission {
            Admission::Now(_, slot) => slot,
            Admission::Waits | Admission::Refused(_) => panic!("a slot"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_its_lanes_share_waits_and_starts_in_order_when_a_slot_is_free() {
        let slots = Slots::new(4);
        let room = WaitingRoom::new(slots.clone());
        let first = slot(room.admit(A, 1, soon()).await);
        assert!(matches!(room.admit(A, 2, soon()).await, Admission::Waits));
        assert!(matches!(room.admit(A, 3, soon()).await, Admission::Waits));
        let _other = slot(room.admit(B, 9, soon()).await);
        assert!(room.take_startable().is_empty());
        drop(first);
        for expected in [2, 3] {
            let started = room.take_startable();
            let items: Vec<i32> = started.iter().map(|(item, _)| *item).collect();
            assert_eq!(items, [expected], "one holds its lane's share");
        }
        assert_eq!(room.deadline(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_does_not_move_is_refused_and_gives_back_all_that_waits() {
        let room = WaitingRoom::new(Slots::new(1));
        let _held = slot(room.admit(A, 0, soon()).await);
        for item in 1..=MOST_OF_A_LANE {
            assert!(matches!(room.admit(A, item, soon()).await, Admission::Waits), "{item}");
        }
        let began = Instant::now();
        assert!(matches!(room.admit(A, 99, soon()).await, Admission::Refused(99)));
        assert_eq!(began.elapsed(), Duration::from_millis(50), "it waits as long as it may");
        tokio::time::advance(MAX_WAIT - began.elapsed()).await;
        assert!(matches!(room.admit(A, 99, soon()).await, Admission::Refused(99)));
        assert_eq!(began.elapsed(), MAX_WAIT, "but not for a lane that does not move");
        assert!(room.deadline().is_some_and(|at| at <= Instant::now()));
        assert_eq!(room.take_overdue().len(), MOST_OF_A_LANE);
        assert!(room.take_overdue().is_empty() && room.take_all().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_caller_gets_a_place_as_soon_as_one_is_free() {
        let slots = Slots::new(1);
        let room = WaitingRoom::new(slots.clone());
        let held = slot(room.admit(A, 0, soon()).await);
        for item in 1..=MOST_OF_A_LANE {
            assert!(matches!(room.admit(A, item, soon()).await, Admission::Waits));
        }
        let free = async {
            drop(held);
            room.take_startable().len()
        };
        let (admission, started) = tokio::join!(room.admit(A, 99, soon()), free);
        assert!(matches!(admission, Admission::Waits));
        assert_eq!(started, 1, "one took the slot, and its place went to the caller");
    }
}
