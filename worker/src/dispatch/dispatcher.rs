//! The loop: looks when woken and every second, lane after lane in turn, and hints what it found within the window.

use std::time::Duration;

use domain::job::{QueueName, WINDOW};
use platform::{context::Context, database::DatabaseError, telemetry::names};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{
    hand_on::{Feed, Hands},
    look::{self, Bounds, Look, ROWS_OF_A_LANE, Which},
    share::Workers,
    waiting::Waiting,
};
use crate::claim::{Backlogs, Slots};

/// How often it looks when nobody wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Least time between two rounds: a thousand wakes cost one.
const PAUSE: Duration = Duration::from_millis(5);
/// How long it rests when the window is full, or when many lanes had nothing that is due.
const FULL: Duration = Duration::from_millis(50);
/// Most looks of one round, which ends with the last lane; the next round goes on where this one stopped.
const LOOKS_A_ROUND: usize = 16;
/// Uploads that are hinted ahead: they take long, and a hint is trusted for 15 s only.
const UPLOADS_AHEAD: usize = 256;
/// Most lanes of one look at those that got room.
const LANES_WITH_ROOM: usize = 256;

/// What a round leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There is more that is due, and room for it.
    More,
    /// The window is full, or there are lanes that were not looked at yet: there may be more.
    Later,
    /// Nothing is due.
    Nothing,
}

/// Looks for due work and sees that it is worked.
pub struct Dispatcher<F> {
    context: Context,
    hands: Hands<F>,
    /// Which lanes this process could send nothing more of.
    slots: Option<Slots>,
    /// Which lanes this process claims without a look; none where nobody would.
    backlogs: Option<Backlogs>,
    waiting: Waiting,
    workers: Workers,
    /// The lane at which the last look stopped; the next one goes on behind it.
    cursor: Uuid,
    /// What was found since the first lane.
    found_in_pass: usize,
}

impl<F: Feed> Dispatcher<F> {
    /// A dispatcher that falls back on `feed` while the queue is away.
    pub fn new(context: Context, feed: F) -> Self {
        Self {
            hands: Hands::new(context.clone(), feed),
            context,
            slots: None,
            backlogs: None,
            waiting: Waiting::default(),
            workers: Workers::default(),
            cursor: Uuid::nil(),
            found_in_pass: 0,
        }
    }

    /// Leaves lanes alone that hold their share of these slots, and those in `backlogs`, to which it adds what it finds; and
    /// looks at lanes with limits as soon as `waiting` says that a send of theirs was recorded.
    #[must_use]
    pub fn with_slots(self, slots: Slots, backlogs: Backlogs, waiting: Waiting) -> Self {
        Self { slots: Some(slots), backlogs: Some(backlogs), waiting, ..self }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut woken = self.context.queue.woken();
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            let started = Instant::now();
            let left = told(self.round().await, Rest::Nothing);
            pause(started).await;
            match left {
                Rest::More => {}
                Rest::Later => drop(stop.run_until_cancelled(tokio::time::sleep(FULL)).await),
                Rest::Nothing => self.rest(&mut woken, &stop).await,
            }
        }
    }

    /// Until it is woken, or for a second; meanwhile looks at lanes that get room. No look is broken off: what it has
    /// marked must be handed on.
    async fn rest(&mut self, woken: &mut watch::Receiver<u64>, stop: &CancellationToken) {
        let until = Instant::now() + EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = woken.changed() => return,
                () = tokio::time::sleep_until(until) => return,
                () = self.waiting.ready() => {}
            }
            let started = Instant::now();
            told(self.lanes_with_room().await, ());
            pause(started).await;
        }
    }

    /// One round over the lanes, as far as there is room.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn round(&mut self) -> Result<Rest, DatabaseError> {
        let uploads = self.uploads().await;
        let deliveries = self.deliveries().await?;
        // Uploads that wait for room have a second.
        Ok(if deliveries == Rest::Nothing && uploads? == Rest::More { Rest::More } else { deliveries })
    }

    async fn deliveries(&mut self) -> Result<Rest, DatabaseError> {
        let mut found_in_round = 0;
        for _ in 0..LOOKS_A_ROUND {
            let Some(bounds) = self.bounds().await else { return Ok(Rest::Later) };
            let look = look::deliveries_within(&self.context, Which::After(self.cursor), &bounds).await?;
            self.found_in_pass += look.found.len();
            found_in_round += look.found.len();
            let stopped_at = look.stopped_at;
            self.cursor = stopped_at.unwrap_or_default();
            if !self.hand_on(look).await {
                return Ok(Rest::Later);
            }
            // Every lane was passed, with room left. A lane that gave all it may has more when some of that was sent: looking
            // at once would find little, and the pause after it would last as long as all of these looks.
            if stopped_at.is_none() {
                let found = std::mem::take(&mut self.found_in_pass);
                return Ok(if found == 0 { Rest::Nothing } else { Rest::More });
            }
        }
        Ok(if found_in_round == 0 { Rest::Later } else { Rest::More })
    }

    /// Looks at the lanes that got room, until they have given what they may.
    async fn lanes_with_room(&mut self) -> Result<(), DatabaseError> {
        let mut lanes = self.waiting.take(LANES_WITH_ROOM);
        let claimed_here = self.claimed_here();
        lanes.retain(|lane| !claimed_here.contains(lane));
        if lanes.is_empty() {
            return Ok(());
        }
        for _ in 0..LOOKS_A_ROUND {
            let Some(bounds) = self.bounds().await else { return Ok(()) };
            let look = look::deliveries_within(&self.context, Which::These(&lanes), &bounds).await?;
            let gave_all = look.found.len() < ROWS_OF_A_LANE as usize;
            if !self.hand_on(look).await || gave_all {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the next look may take; none when the window is full.
    async fn bounds(&mut self) -> Option<Bounds> {
        let room = self.hands.room(QueueName::Deliveries, WINDOW).await;
        if room == 0 {
            return None;
        }
        let claimed_here = self.claimed_here();
        let mut full = self.slots.as_ref().map(Slots::full_lanes).unwrap_or_default();
        full.retain(|lane| !claimed_here.contains(lane));
        self.waiting.expect(full.iter().copied());
        full.extend(claimed_here);
        Some(Bounds { room, share: self.workers.share(&self.context).await, full })
    }

    fn claimed_here(&self) -> Vec<Uuid> {
        self.backlogs.as_ref().map(Backlogs::lanes).unwrap_or_default()
    }

    async fn hand_on(&mut self, look: Look) -> bool {
        // A lane that has given all it has is looked at again as soon as something of it is recorded.
        self.waiting.expect(look.limited.into_iter().chain(look.backlogs.iter().copied()));
        if let Some(backlogs) = self.backlogs.as_ref().filter(|_| !look.backlogs.is_empty()) {
            backlogs.add(&look.backlogs, self.workers.share(&self.context).await);
        }
        look.again.into_iter().for_each(|(lane, wait)| self.waiting.again_in(lane, wait));
        self.hands.hand_on(QueueName::Deliveries, look.found).await
    }

    async fn uploads(&self) -> Result<Rest, DatabaseError> {
        if self.hands.are_full_of_uploads() {
            return Ok(Rest::Nothing);
        }
        let room = self.hands.room(QueueName::Uploads, UPLOADS_AHEAD).await;
        if room == 0 {
            return Ok(Rest::Nothing);
        }
        let found = look::uploads(&self.context, room).await?;
        let more = found.len() == room;
        let handed_on = self.hands.hand_on(QueueName::Uploads, found).await;
        Ok(if handed_on && more { Rest::More } else { Rest::Nothing })
    }
}

/// What a look came to, or `otherwise` and a line in the log.
fn told<T>(looked: Result<T, DatabaseError>, otherwise: T) -> T {
    looked.unwrap_or_else(|error| {
        metrics::counter!(names::DATABASE_ERRORS).increment(1);
        warn!(%error, "the dispatcher could not look");
        otherwise
    })
}

/// The pause after what began then: as long as it took, so that looks never take more than half of the time.
async fn pause(started: Instant) {
    tokio::time::sleep(started.elapsed().clamp(PAUSE, FULL)).await;
}
