//! The claimer of a worker: claims whatever is due for the slots that are free, when woken, when slots are freed, when a
//! limited lane may have more, and every second. Never claims more than the slots it has reserved.

use std::time::Duration;

use domain::job::{BACKLOG_LASTS, QueueName};
use entity::lane::{backlog::report_backlogs, scan::DueLane};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    telemetry::names,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{BATCH, Claimed, Claims, Gate, Recheck, Scan, Wanted, claim_with_permit, scan};
use crate::{
    due::Due,
    endpoints::EndpointCache,
    lanes::{Backlog, Holder, SendSlot, SendSlots, Share},
};

/// How often it scans when nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Least and longest pause after a round: as long as the round took, so that claims take half of the time at most.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// Most scans of one round over the lanes.
const SCANS_A_ROUND: usize = 16;
/// Most limited lanes of one claim beside a scan.
const LIMITED_LANES: usize = 256;

/// Claims for one worker.
pub struct Claimer {
    context: Context,
    endpoints: EndpointCache,
    slots: SendSlots,
    backlog: Backlog,
    recheck: Recheck,
    due: Due,
    /// Whether this worker sends deliveries; otherwise it only scans, for other kinds of work.
    sends: bool,
    /// The lane at which the last scan stopped; the next one goes on behind it.
    cursor: Uuid,
    next_scan: Instant,
    /// When slow lanes are next reported to have a backlog.
    next_report: Instant,
}

impl Claimer {
    /// A claimer for these slots. It claims limited lanes as soon as `recheck` says that they may have more, and reports to
    /// `due` what else its scans find.
    #[must_use]
    pub fn new(
        context: &Context,
        endpoints: EndpointCache,
        slots: SendSlots,
        recheck: Recheck,
        due: Due,
    ) -> Self {
        let sends = context.config.worker_queues.contains(&QueueName::Deliveries);
        let (context, backlog) = (context.clone(), slots.backlog().clone());
        let (cursor, next_scan, next_report) = (Uuid::nil(), Instant::now(), Instant::now());
        Self { context, endpoints, slots, backlog, recheck, due, sends, cursor, next_scan, next_report }
    }

    /// Claims until `stop`, giving each claimed delivery with its slot to `send`.
    pub async fn run(mut self, stop: CancellationToken, send: impl Fn(Claimed, SendSlot)) {
        let mut woken = self.context.queue.woken();
        let mut freed = self.slots.freed();
        while !stop.is_cancelled() {
            let started = Instant::now();
            freed.mark_unchanged();
            if let Err(error) = self.round(&mut woken, &send).await {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "nothing was claimed; the next claim follows");
            }
            sleep(started.elapsed().clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(&mut woken, &mut freed) => {}
            }
        }
    }

    /// Scans and claims once if that is due, and claims once of the lanes that are known to have more.
    async fn round(
        &mut self,
        woken: &mut watch::Receiver<u64>,
        send: &impl Fn(Claimed, SendSlot),
    ) -> Result<(), DatabaseError> {
        if woken.has_changed().unwrap_or(false) || self.next_scan <= Instant::now() {
            woken.mark_unchanged();
            // Also after an error: a database that is away is asked once a second.
            self.next_scan = Instant::now() + EVERY;
            self.scan(send).await?;
        }
        self.claim_limited(send).await?;
        self.claim_backlog(send).await?;
        self.report_backlog().await
    }

    /// Reports the lanes whose receivers are slower than what comes in, so that accepts do not hand over their deliveries.
    /// Where this machine sets the pace they go on: a full queue makes accepts yield.
    async fn report_backlog(&mut self) -> Result<(), DatabaseError> {
        if Instant::now() < self.next_report {
            return Ok(());
        }
        let lanes = self.slots.slow(self.backlog.lanes());
        if lanes.is_empty() {
            return Ok(());
        }
        self.next_report = Instant::now() + BACKLOG_LASTS / 2;
        within_deadline(report_backlogs(&self.context.database, &self.context.clock, &lanes)).await
    }

    /// Passes the lanes from where it stopped, as far as there are slots; what is left is next.
    async fn scan(&mut self, send: &impl Fn(Claimed, SendSlot)) -> Result<(), DatabaseError> {
        for _ in 0..SCANS_A_ROUND {
            let found = scan(&self.context, self.cursor).await?;
            self.report(&found);
            if !self.sends {
                return Ok(());
            }
            let lanes = found.lanes.iter().map(with_holder);
            let lanes: Vec<(Holder, Gate)> =
                lanes.filter(|(holder, _)| !self.backlog.contains(holder.lane)).collect();
            let limited = lanes.iter().filter(|(_, gate)| *gate == Gate::Limited).map(|(holder, _)| *holder);
            self.recheck.expect(limited);
            let served = self.claim(&lanes, send).await?;
            let is_left =
                |(holder, gate): &&(Holder, Gate)| *gate == Gate::Open && !served.contains(&holder.lane);
            self.backlog.add(lanes.iter().filter(is_left).map(|(holder, _)| *holder));
            if served.is_empty() && !lanes.is_empty() && self.slots.share().most_of_a_lane() == 0 {
                // Without slots the cursor stays: these lanes are first when some are freed. Lanes that hold their share
                // are passed.
                return Ok(());
            }
            self.cursor = found.stopped_at.unwrap_or_default();
            if found.stopped_at.is_none() {
                return Ok(());
            }
        }
        self.next_scan = Instant::now();
        Ok(())
    }

    fn report(&self, found: &Scan) {
        let kinds = [
            (found.uploads, &self.due.uploads),
            (found.broadcasts, &self.due.broadcasts),
            (found.replays, &self.due.replays),
        ];
        kinds.into_iter().filter(|(is_due, _)| *is_due).for_each(|(_, signal)| signal.found());
    }

    /// Claims the limited lanes that may have more now.
    async fn claim_limited(&mut self, send: &impl Fn(Claimed, SendSlot)) -> Result<(), DatabaseError> {
        let lanes: Vec<(Holder, Gate)> = self
            .recheck
            .take_ready(LIMITED_LANES)
            .into_iter()
            .map(|holder| (holder, Gate::Limited))
            .collect();
        let served = self.claim(&lanes, send).await?;
        let is_left = |holder: &Holder| !served.contains(&holder.lane);
        self.recheck.expect(lanes.iter().map(|(holder, _)| *holder).filter(is_left));
        Ok(())
    }

    /// Claims of the lanes that had more due than room.
    async fn claim_backlog(&mut self, send: &impl Fn(Claimed, SendSlot)) -> Result<(), DatabaseError> {
        if !self.backlog.has_room(&self.slots.share(), Instant::now()) {
            return Ok(());
        }
        let backlog = self.backlog.clone();
        self.claim_wanted(|share| open(backlog.assign_slots(share, BATCH, Instant::now())), send)
            .await
            .map(drop)
    }

    /// Claims of these lanes what their share of the slots allows. Returns those for which there was a slot.
    async fn claim(
        &self,
        lanes: &[(Holder, Gate)],
        send: &impl Fn(Claimed, SendSlot),
    ) -> Result<Vec<Uuid>, DatabaseError> {
        if lanes.is_empty() {
            return Ok(vec![]);
        }
        self.claim_wanted(|share| wanted(lanes, share), send).await
    }

    /// Waits for its turn to write, then reserves slots for what is wanted by then, claims it and sends it.
    async fn claim_wanted(
        &self,
        choose: impl Fn(&Share) -> Vec<Wanted>,
        send: &impl Fn(Claimed, SendSlot),
    ) -> Result<Vec<Uuid>, DatabaseError> {
        let permit = self.context.database.write_permit().await?;
        let mut wanted = choose(&self.slots.share());
        let mut reserved = self.slots.reserve(wanted.iter().map(|wanted| wanted.rows).sum());
        shorten(&mut wanted, reserved.count());
        if wanted.is_empty() {
            return Ok(vec![]);
        }
        let claims = claim_with_permit(&self.context, &self.endpoints, permit, &wanted).await?;
        self.observe_claims(&wanted, &claims);
        for delivery in claims.claimed {
            let slot = reserved.hold(delivery.holder());
            send(delivery, slot);
        }
        Ok(wanted.into_iter().map(|wanted| wanted.holder.lane).collect())
    }

    /// What lanes gave: open ones that gave all they were asked for have more, limited ones later.
    fn observe_claims(&self, wanted: &[Wanted], claims: &Claims) {
        let rescued = claims.claimed.iter().filter(|delivery| delivery.rescued).count();
        metrics::counter!(names::RESCUED).increment(rescued as u64);
        let now = Instant::now();
        for wanted in wanted.iter().filter(|wanted| wanted.gate == Gate::Open) {
            let gave = claims.count_of(wanted.holder.lane);
            if gave >= wanted.rows {
                self.backlog.add([wanted.holder]);
            }
            self.backlog.record_yield(wanted.holder.lane, wanted.rows, gave, now);
        }
        claims.again.iter().for_each(|(lane, wait)| self.recheck.again_in(*lane, *wait));
    }

    /// Until there may be something to claim.
    async fn wait(&self, woken: &mut watch::Receiver<u64>, freed: &mut watch::Receiver<u64>) {
        loop {
            let now = Instant::now();
            if self.backlog.has_room(&self.slots.share(), now) {
                return;
            }
            tokio::select! {
                _ = woken.changed() => {
                    woken.mark_changed();
                    return;
                }
                () = sleep_until(self.next_scan) => return,
                () = self.recheck.ready() => return,
                _ = freed.changed() => {}
                () = self.backlog.changed(now) => {}
            }
        }
    }
}

fn with_holder(lane: &DueLane) -> (Holder, Gate) {
    (Holder::of_due_lane(lane), lane.gate)
}

/// What each lane may have, limited ones among them.
fn wanted(lanes: &[(Holder, Gate)], share: &Share) -> Vec<Wanted> {
    let wants: Vec<(Holder, usize)> =
        lanes.iter().map(|(holder, _)| (*holder, share.room_for(holder))).collect();
    let gate = |lane| lanes.iter().find(|(known, _)| *known == lane).map_or(Gate::Open, |(_, gate)| *gate);
    let given = share.divide(&wants, BATCH).into_iter();
    given.map(|(holder, rows)| Wanted { holder, rows, gate: gate(holder) }).collect()
}

fn open(given: Vec<(Holder, usize)>) -> Vec<Wanted> {
    given.into_iter().map(|(holder, rows)| Wanted { holder, rows, gate: Gate::Open }).collect()
}

/// Takes back what there are no slots for: some may have gone since the share was looked at.
fn shorten(wanted: &mut Vec<Wanted>, slots: usize) {
    let mut left = slots;
    for wanted in wanted.iter_mut() {
        wanted.rows = wanted.rows.min(left);
        left -= wanted.rows;
    }
    wanted.retain(|wanted| wanted.rows > 0);
}
