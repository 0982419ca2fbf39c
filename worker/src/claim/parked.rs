//! Due deliveries whose lanes hold their share of the slots: they wait here for one of these, known to be due and not yet
//! claimed. Never more of a lane than it could have under way, and never for long: the rest is the dispatcher's.

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
    /// A place for as many of a lane as may be under way with so many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self { most: (slots / 4).max(LEAST), lanes: BTreeMap::new() }
    }

    /// Keeps these; returns those that find no place.
    pub(super) fn park(&mut self, refused: Vec<Candidate>) -> Vec<Candidate> {
        let until = Instant::now() + PATIENCE;
        let mut left = vec![];
        for (id, lane) in refused {
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
        let (mut granted, _) = share.admit(&self.next(share));
        granted.truncate(most);
        for (_, lane) in &granted {
            self.pop(*lane);
        }
        granted.into_iter().map(|(id, _)| id).collect()
    }

    /// Takes those that have waited too long.
    pub(super) fn expired(&mut self) -> Vec<Candidate> {
        let now = Instant::now();
        self.take_until(|until| until <= now)
    }

    /// Takes all.
    pub(super) fn all(&mut self) -> Vec<Candidate> {
        self.take_until(|_| true)
    }

    /// Whether one would get a slot now.
    pub(super) fn has_room(&self, share: &Share) -> bool {
        self.lanes.keys().any(|lane| share.has_room_for(*lane))
    }

    /// When the first has waited too long; none when nothing waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(|waiting| Some(waiting.front()?.0)).min()
    }

    /// The first ones of each lane, no more than there are free slots.
    fn next(&self, share: &Share) -> Vec<Candidate> {
        let of = |(lane, waiting): (&Uuid, &VecDeque<(Instant, Uuid)>)| {
            let ids = waiting.iter().take(share.free).map(|(_, id)| *id);
            ids.map(|id| (id, *lane)).collect::<Vec<_>>()
        };
        self.lanes.iter().filter(|(lane, _)| share.has_room_for(**lane)).flat_map(of).collect()
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
