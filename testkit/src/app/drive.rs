//! Drives an app: processes all due work with the real claim, send and record.

use std::{sync::Arc, time::Duration};

use entity::delivery;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{
    broadcasts,
    claim::{Claimed, Wanted, claim, scan},
    endpoints::EndpointCache,
    lanes::Holder,
    record::Recorder,
    send::Sender,
    uploads::UploadProcessor,
};

use super::TestApp;

/// Rounds after which work that is still due fails the test.
const ROUNDS: usize = 50;
/// Deliveries of one lane per round.
const ROWS_OF_A_LANE: usize = 500;
/// An hour, in ms.
const HOUR_MS: i64 = 3_600_000;
/// Longest time of one round of sends.
const PATIENCE: Duration = Duration::from_secs(120);

impl TestApp {
    /// Processes all due uploads, broadcasts and deliveries until none is left. For a lane with limits, only what the limits
    /// allow now.
    ///
    /// # Panics
    /// When due work is left.
    pub async fn drain(&self) {
        for _ in 0..ROUNDS {
            if !self.drain_once().await {
                return;
            }
        }
        panic!("work was left behind after {ROUNDS} rounds");
    }

    /// Runs one round of [`TestApp::drain`]; returns whether any work was due.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn drain_once(&self) -> bool {
        let processed = UploadProcessor::new(&self.context, CancellationToken::new()).work_due().await;
        let made_a_page = broadcasts::step(&self.context).await.expect("a page");
        let claimed = self.claim_due(ROWS_OF_A_LANE).await;
        let is_idle = claimed.is_empty() && !processed && !made_a_page;
        self.send_claimed(claimed).await;
        !is_idle
    }

    /// Claims due deliveries of every lane, at most `rows` of each.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn claim_due(&self, rows: usize) -> Vec<Claimed> {
        self.claim_of_lanes(|_| rows).await
    }

    /// Claims those of these deliveries that may be claimed. Postpones the others of their lanes by an hour.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn claim(&self, ids: &[Uuid]) -> Vec<Claimed> {
        let lanes = self.lanes_of(ids).await;
        self.put_off_others(&lanes, ids, HOUR_MS).await;
        let claimed = self.claim_of_lanes(|lane| lanes.iter().filter(|known| **known == lane).count()).await;
        self.put_off_others(&lanes, ids, -HOUR_MS).await;
        claimed
    }

    async fn put_off_others(&self, lanes: &[Uuid], ids: &[Uuid], by: i64) {
        let later = Expr::col(delivery::Column::DueAt).add(by);
        let put_off = delivery::Entity::update_many().col_expr(delivery::Column::DueAt, later);
        let of_lanes = put_off.filter(delivery::Column::LaneId.is_in(lanes.iter().copied()));
        let others = of_lanes.filter(delivery::Column::Id.is_not_in(ids.iter().copied()));
        others.exec(self.context.database.writer()).await.expect("put off");
    }

    async fn claim_of_lanes(&self, rows: impl Fn(Uuid) -> usize) -> Vec<Claimed> {
        let (endpoints, mut claimed, mut cursor) =
            (EndpointCache::new(&self.context), vec![], Some(Uuid::nil()));
        while let Some(after) = cursor {
            let found = scan(&self.context, after).await.expect("a scan");
            let wanted = found.lanes.iter().map(|lane| Wanted {
                holder: Holder::of_due_lane(lane),
                rows: rows(lane.id),
                gate: lane.gate,
            });
            let wanted: Vec<Wanted> = wanted.filter(|wanted| wanted.rows > 0).collect();
            claimed.extend(claim(&self.context, &endpoints, &wanted).await.expect("a claim").claimed);
            cursor = found.stopped_at;
        }
        claimed
    }

    /// Claims as [`TestApp::claim`] does, then sends and records.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn send(&self, ids: &[Uuid]) {
        let claimed = self.claim(ids).await;
        self.send_claimed(claimed).await;
    }

    /// Sends and records claimed deliveries.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn send_claimed(&self, claimed: Vec<Claimed>) {
        let (recorder, records) = Recorder::new(&self.context);
        let sender = Sender::new(&self.context, recorder).expect("a sender");
        let recorded = CancellationToken::new();
        let records = tokio::spawn(records.run(recorded.clone()));
        let slots = Arc::new(Semaphore::new(claimed.len()));
        for delivery in claimed {
            let slot = Arc::clone(&slots).try_acquire_owned().expect("a slot each");
            sender.start(delivery, slot);
        }
        sender.drain(PATIENCE).await;
        recorded.cancel();
        records.await.expect("the recorder ends");
    }

    /// Returns the lane of each open delivery among these.
    async fn lanes_of(&self, ids: &[Uuid]) -> Vec<Uuid> {
        let open = delivery::Entity::find().filter(delivery::Column::Id.is_in(ids.iter().copied()));
        let open = open.all(self.context.database.reader()).await.expect("deliveries");
        open.into_iter().map(|delivery| delivery.lane_id).collect()
    }
}
