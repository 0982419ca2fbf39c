//! Handed-over deliveries whose lane holds its share of the slots: they wait a moment in this process for a slot of their
//! lane, first come first served. A lane that keeps one waiting too long gives back all that waits, so that it does not
//! hold up other lanes.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{
    Holder,
    send_rate::FAST_INTERVAL,
    send_slots::{SendSlot, SendSlots},
};

/// How long a delivery waits for a slot of its lane at most.
pub const MAX_WAIT: Duration = Duration::from_millis(200);
/// Deliveries of one lane that wait without holding up the jobs that carry them.
const LANE_CAPACITY: usize = 64;
/// A crowded lane holds up other lanes' jobs. It may do so while it is fast, seen over at least so long: a busy worker pauses
/// now and then.
const LEAST_WAIT: Duration = Duration::from_millis(50);

/// What waits, lane by lane, oldest first: of each lane what the jobs that are taken in at once carry, and at most
/// 64 that earlier jobs have left.
pub struct PendingBuffer<T> {
    slots: SendSlots,
    lanes: Mutex<HashMap<Uuid, Waiting<T>>>,
    /// Changes when something begins or ceases to wait.
    changed: watch::Sender<u64>,
}

/// What waits of one lane, with the time since when.
struct Waiting<T> {
    holder: Holder,
    items: VecDeque<(Instant, T)>,
}

impl<T> PendingBuffer<T> {
    /// A buffer in front of these slots.
    #[must_use]
    pub fn new(slots: SendSlots) -> Self {
        Self { slots, lanes: Mutex::default(), changed: watch::Sender::new(0) }
    }

    /// Returns the item with a slot of its lane, or keeps it until there is one.
    #[must_use]
    pub fn admit(&self, holder: Holder, item: T) -> Option<(T, SendSlot)> {
        let mut lanes = self.lanes();
        let is_first = lanes.get(&holder.lane).is_none_or(|waiting| waiting.items.is_empty());
        if is_first && let Some(slot) = self.slots.try_acquire(&holder) {
            return Some((item, slot));
        }
        let waiting = lanes.entry(holder.lane).or_insert_with(|| Waiting { holder, items: VecDeque::new() });
        waiting.items.push_back((Instant::now(), item));
        drop(lanes);
        self.notify();
        None
    }

    /// Waits until none of these lanes is crowded: more than a few wait for it.
    pub async fn uncrowded(&self, of: &[Uuid]) {
        let mut changed = self.changed.subscribe();
        while self.is_crowded(of) {
            // The sender is ours: it outlives the wait.
            let _ = changed.changed().await;
        }
    }

    fn is_crowded(&self, of: &[Uuid]) -> bool {
        let lanes = self.lanes();
        of.iter().filter_map(|lane| lanes.get(lane)).any(|waiting| waiting.items.len() > LANE_CAPACITY)
    }

    /// Takes what may have a slot now, oldest of each lane first.
    #[must_use]
    pub fn take_startable(&self) -> Vec<(T, SendSlot)> {
        let mut taken = vec![];
        let mut lanes = self.lanes();
        // In turn, as lanes of a group take room from each other.
        let mut before = None;
        while before != Some(taken.len()) {
            before = Some(taken.len());
            for waiting in lanes.values_mut().filter(|waiting| !waiting.items.is_empty()) {
                if let Some(slot) = self.slots.try_acquire(&waiting.holder) {
                    taken.extend(waiting.items.pop_front().map(|(_, item)| (item, slot)));
                }
            }
        }
        self.end_taking(lanes, !taken.is_empty());
        taken
    }

    /// Takes everything of the lanes whose oldest has waited too long.
    #[must_use]
    pub fn take_overdue(&self) -> Vec<(Uuid, T)> {
        let now = Instant::now();
        self.take_where(|waiting| overdue_at(waiting).is_some_and(|at| at <= now))
    }

    /// Takes all.
    #[must_use]
    pub fn take_all(&self) -> Vec<(Uuid, T)> {
        self.take_where(|_| true)
    }

    fn take_where(&self, is_wanted: impl Fn(&Waiting<T>) -> bool) -> Vec<(Uuid, T)> {
        let mut taken = vec![];
        let mut lanes = self.lanes();
        for (lane, waiting) in lanes.iter_mut().filter(|(_, waiting)| is_wanted(waiting)) {
            taken.extend(waiting.items.drain(..).map(|(_, item)| (*lane, item)));
        }
        self.end_taking(lanes, !taken.is_empty());
        taken
    }

    fn end_taking(&self, mut lanes: MutexGuard<'_, HashMap<Uuid, Waiting<T>>>, any: bool) {
        lanes.retain(|_, waiting| !waiting.items.is_empty());
        drop(lanes);
        if any {
            self.notify();
        }
    }

    /// When the first has waited too long; none when nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes();
        lanes.values().filter_map(overdue_at).min()
    }

    /// Changes when something begins or ceases to wait.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn notify(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Uuid, Waiting<T>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a lane gives back all that waits, unless its oldest has a slot by then.
fn overdue_at<T>(waiting: &Waiting<T>) -> Option<Instant> {
    let (since, _) = waiting.items.front()?;
    let crowd = u32::try_from(waiting.items.len()).unwrap_or(u32::MAX);
    let patience = match waiting.items.len() > LANE_CAPACITY {
        true => FAST_INTERVAL.saturating_mul(crowd).clamp(LEAST_WAIT, MAX_WAIT),
        false => MAX_WAIT,
    };
    Some(*since + patience)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    const fn holder(lane: Uuid) -> Holder {
        Holder { lane, group: None }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_its_lanes_share_waits_and_starts_in_order_when_a_slot_is_free() {
        let slots = SendSlots::new(4);
        let buffer = PendingBuffer::new(slots.clone());
        let first = buffer.admit(holder(A), 1).expect("a slot");
        assert!(buffer.admit(holder(A), 2).is_none());
        assert!(buffer.admit(holder(A), 3).is_none());
        let _other = buffer.admit(holder(B), 9).expect("a slot of another lane");
        assert!(buffer.take_startable().is_empty());
        drop(first);
        for expected in [2, 3] {
            let started = buffer.take_startable();
            let items: Vec<i32> = started.iter().map(|(item, _)| *item).collect();
            assert_eq!(items, [expected], "one holds its lane's share");
        }
        assert_eq!(buffer.deadline(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_take_freed_slots_in_turn() {
        let slots = SendSlots::new(40);
        let buffer = PendingBuffer::new(slots.clone());
        let all = slots.reserve(40);
        for item in 1..=3 {
            assert!(buffer.admit(holder(A), item).is_none() && buffer.admit(holder(B), 10 * item).is_none());
        }
        drop(all);
        let started: Vec<i32> = buffer.take_startable().into_iter().map(|(item, _)| item).collect();
        let mut firsts = started[..2].to_vec();
        firsts.sort_unstable();
        assert_eq!((firsts, started.len()), (vec![1, 10], 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_keeps_one_waiting_too_long_gives_back_all_that_waits() {
        let buffer = PendingBuffer::new(SendSlots::new(1));
        let _held = buffer.admit(holder(A), 0).expect("a slot");
        assert!(buffer.admit(holder(A), 1).is_none());
        tokio::time::advance(MAX_WAIT - Duration::from_millis(1)).await;
        assert!(buffer.admit(holder(A), 2).is_none());
        assert!(buffer.take_overdue().is_empty());
        assert_eq!(buffer.deadline(), Some(Instant::now() + Duration::from_millis(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(buffer.take_overdue(), [(A, 1), (A, 2)]);
        assert!(buffer.take_overdue().is_empty() && buffer.take_all().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowded_lane_waits_as_long_as_a_lane_that_moves_would_take() {
        for (waiting, patience) in [
            (LANE_CAPACITY, MAX_WAIT),
            (LANE_CAPACITY + 1, LEAST_WAIT),
            (200, Duration::from_millis(70)),
            (2_000, MAX_WAIT),
        ] {
            let buffer = PendingBuffer::new(SendSlots::new(1));
            let _held = buffer.admit(holder(A), 0).expect("a slot");
            for item in 1..=waiting {
                assert!(buffer.admit(holder(A), item).is_none());
            }
            assert_eq!(buffer.deadline(), Some(Instant::now() + patience), "{waiting}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_waits_while_a_lane_of_its_own_is_crowded() {
        let slots = SendSlots::new(4);
        let buffer = PendingBuffer::new(slots.clone());
        let held = buffer.admit(holder(A), 0).expect("a slot");
        for item in 1..=LANE_CAPACITY {
            assert!(buffer.admit(holder(A), item).is_none());
        }
        buffer.uncrowded(&[A, B]).await;
        assert!(buffer.admit(holder(A), 99).is_none());
        buffer.uncrowded(&[B]).await;
        let waits = tokio::time::timeout(MAX_WAIT, buffer.uncrowded(&[A, B])).await;
        assert!(waits.is_err(), "one more than fits waits for it");
        let free = async {
            drop(held);
            buffer.take_startable().len()
        };
        let ((), started) = tokio::join!(buffer.uncrowded(&[A, B]), free);
        assert_eq!(started, 1);
    }
}
