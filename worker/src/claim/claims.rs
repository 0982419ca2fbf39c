//! The claimer's work. Whatever is handed in waits lane by lane; a claim takes of each lane what its share of the slots
//! allows, and asks the database for nothing else. In turn with it, what is due of lanes with a backlog.

use std::sync::Arc;

use platform::{
    context::Context,
    database::{DatabaseError, Turn},
    telemetry::names,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{
    Backlogs, Claimed, Pick, Slot, Slots, Wanted, claim_in_turn,
    claimer::Request,
    missed::{self, Missed},
    parked::Parked,
    put_off,
    room::{LINGER, may_go},
    share::Candidate,
};

/// Most ids that one statement claims.
const BATCH: usize = 512;

/// The claimer's work.
pub struct Claims {
    requests: mpsc::Receiver<Request>,
    left_over: Option<Request>,
    /// Who is told after the claim that comes next.
    waiting: Vec<oneshot::Sender<()>>,
    parked: Parked,
    /// What found no place among the parked.
    crowded_out: Vec<Candidate>,
    /// Since when a lane of which something is parked has room.
    room_since: Option<Instant>,
    backlogs: Backlogs,
    /// Whether lanes with a backlog go before what was handed in.
    backlogs_first: bool,
    context: Context,
    slots: Slots,
}

/// What is claimed next.
struct Batch {
    turn: Result<Turn, DatabaseError>,
    picked: Picked,
    slots: OwnedSemaphorePermit,
}

/// What gets the slots.
enum Picked {
    /// These of those that were handed in.
    Ids(Vec<Uuid>),
    /// What is due of these lanes.
    Lanes(Vec<Wanted>),
}

impl Claims {
    pub(super) fn new(
        requests: mpsc::Receiver<Request>,
        context: Context,
        slots: Slots,
        backlogs: Backlogs,
    ) -> Self {
        let parked = Parked::new(slots.permits().available_permits());
        Self {
            requests,
            left_over: None,
            waiting: vec![],
            parked,
            crowded_out: vec![],
            room_since: None,
            backlogs,
            backlogs_first: false,
            context,
            slots,
        }
    }

    /// Claims until `stop`, handing each claimed delivery with its slot to `send`.
    pub async fn run(self, stop: CancellationToken, send: impl Fn(Claimed, Slot)) {
        let (missed, returns) = missed::new(&self.context);
        tokio::join!(self.claim_until(stop, missed, send), returns.run());
    }

    async fn claim_until(mut self, stop: CancellationToken, missed: Missed, send: impl Fn(Claimed, Slot)) {
        while let Some(batch) = self.next(&stop).await {
            if let Some(batch) = batch {
                self.claim(batch, &missed, &send).await;
            }
            self.put_off().await;
            for done in self.waiting.drain(..) {
                let _ = done.send(());
            }
        }
        missed.give_back(self.leave().into_iter().map(|(id, _)| id).collect());
    }

    /// Everything that nobody will claim here any more.
    fn leave(&mut self) -> Vec<Candidate> {
        self.requests.close();
        let mut left = self.parked.all();
        while let Some(request) = self.left_over.take().or_else(|| self.requests.try_recv().ok()) {
            left.extend(request.asked);
        }
        left
    }

    /// Waits for ids, for a free slot and, when it is worth a claim, for the turn to write; takes as many ids as there are
    /// slots by then, up to the batch. No batch when all of it has to wait for slots of its lanes.
    async fn next(&mut self, stop: &CancellationToken) -> Option<Option<Batch>> {
        stop.run_until_cancelled(self.wake()).await??;
        let first = Arc::clone(self.slots.permits()).acquire_owned();
        let mut slots = stop.run_until_cancelled(first).await?.ok()?;
        self.take_in();
        if !self.is_worth_a_claim() {
            return Some(None);
        }
        let turn = stop.run_until_cancelled(self.context.database.turn()).await?;
        // What came in meanwhile goes with the others. Only this task takes slots: what is available now stays so.
        self.take_in();
        let picked = self.pick();
        let more = u32::try_from(picked.slots().saturating_sub(1)).ok()?;
        slots.merge(Arc::clone(self.slots.permits()).try_acquire_many_owned(more).ok()?);
        Some(Some(Batch { turn, picked, slots }))
    }

    /// What gets the slots: in turn what was handed in and lanes with a backlog, as far as there is both.
    fn pick(&mut self) -> Picked {
        let (share, room) = (self.slots.share(1), self.room());
        self.backlogs_first = !self.backlogs_first;
        if self.backlogs_first {
            let lanes = self.backlogs.take(&share, room, Instant::now());
            if !lanes.is_empty() {
                return Picked::Lanes(lanes);
            }
        }
        self.room_since = None;
        let ids = self.parked.take(&share, room);
        if ids.is_empty() {
            Picked::Lanes(self.backlogs.take(&share, room, Instant::now()))
        } else {
            Picked::Ids(ids)
        }
    }

    /// Waits for a request, or until something is to be done about what is parked. None when nobody is left who could ask.
    async fn wake(&mut self) -> Option<()> {
        if self.left_over.is_none() {
            tokio::select! {
                request = self.requests.recv() => self.left_over = Some(request?),
                () = may_go(&self.parked, &self.slots, &self.backlogs, &mut self.room_since) => {}
            }
        }
        Some(())
    }

    /// Lets in what is asked for, as much as there are free slots.
    fn take_in(&mut self) {
        let (mut room, now) = (self.room(), Instant::now());
        while room > 0
            && let Some(mut request) = self.left_over.take().or_else(|| self.requests.try_recv().ok())
        {
            self.left_over = request.split_off(room);
            room -= request.asked.len();
            self.crowded_out.extend(self.parked.park(request.asked, now));
            self.waiting.extend(request.done);
        }
    }

    /// Most ids of a claim now, when one slot is held for it already.
    fn room(&self) -> usize {
        BATCH.min(self.slots.permits().available_permits() + 1)
    }

    fn is_worth_a_claim(&self) -> bool {
        let share = self.slots.share(1);
        let has_lingered = || self.room_since.is_some_and(|since| since.elapsed() >= LINGER);
        self.parked.has_much_room(&share)
            || (has_lingered() && self.parked.has_room(&share))
            || self.backlogs.have_room(&share, Instant::now())
    }

    async fn claim(&self, batch: Batch, missed: &Missed, send: &impl Fn(Claimed, Slot)) {
        let Batch { turn, picked, slots } = batch;
        if picked.slots() == 0 {
            return;
        }
        let claimed = match turn {
            Ok(turn) => claim_in_turn(&self.context, turn, picked.as_pick(&self.backlogs)).await,
            Err(error) => Err(error),
        };
        let claimed = claimed.unwrap_or_else(|error| {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, asked = picked.slots(), "nothing was claimed; the dispatcher will find these again");
            vec![]
        });
        match picked {
            Picked::Ids(ids) => missed.look_after(ids, &claimed),
            Picked::Lanes(lanes) => self.take_note(&lanes, &claimed),
        }
        self.hold(claimed, slots, send);
    }

    /// What a claim of lanes came to.
    fn take_note(&self, lanes: &[Wanted], claimed: &[Claimed]) {
        let rescued = claimed.iter().filter(|delivery| delivery.rescued).count();
        metrics::counter!(names::RESCUED).increment(rescued as u64);
        for wanted in lanes {
            let gave = claimed.iter().filter(|delivery| delivery.lane_id == wanted.lane).count();
            self.backlogs.gave(*wanted, gave, Instant::now());
        }
    }

    /// Hands each to `send` with a slot of these.
    fn hold(&self, claimed: Vec<Claimed>, mut slots: OwnedSemaphorePermit, send: &impl Fn(Claimed, Slot)) {
        for delivery in claimed {
            let slot = slots.split(1).expect("never more are claimed than slots were taken for");
            let slot = self.slots.hold(delivery.lane_id(), slot);
            send(delivery, slot);
        }
    }

    /// Leaves to the dispatcher what found no place or has waited too long.
    async fn put_off(&mut self) {
        let mut late = self.parked.expired(Instant::now());
        late.append(&mut self.crowded_out);
        if let Err(error) = put_off(&self.context, &late).await {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, ids = late.len(), "not put off; the dispatcher will find these again");
        }
    }
}

impl Picked {
    /// Slots that it takes at most.
    fn slots(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Lanes(lanes) => lanes.iter().map(|wanted| wanted.rows).sum(),
        }
    }

    fn as_pick(&self, backlogs: &Backlogs) -> Pick<'_> {
        match self {
            Self::Ids(ids) => Pick::Ids(ids),
            Self::Lanes(wanted) => Pick::Lanes { wanted, window: backlogs.window() },
        }
    }
}
