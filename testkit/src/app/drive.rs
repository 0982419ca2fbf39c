//! Driving: whatever is due now is worked to its end, by the real claim, send and record, whatever its hints say.

use std::{sync::Arc, time::Duration};

use platform::database::Pool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{broadcasts, claim::claim, dispatch, record::Recorder, send::Sender, uploads::UploadProcessor};

use super::TestApp;

/// Rounds after which work that is still due counts as left behind.
const ROUNDS: usize = 50;
/// Rows of one look.
const ROOM: usize = 1_000;
/// Longest that one round of sends may take.
const PATIENCE: Duration = Duration::from_secs(120);

impl TestApp {
    /// Works all that is due: uploads, broadcasts, then deliveries, until nothing is. Of a lane with limits that is what looks grant
    /// it now: the rest is not left behind.
    ///
    /// # Panics
    /// When work is left behind.
    pub async fn drain(&self) {
        for _ in 0..ROUNDS {
            if !self.drain_once().await {
                return;
            }
        }
        panic!("work was left behind after {ROUNDS} rounds");
    }

    /// One round of [`TestApp::drain`]: works what is due at this moment; whether there was anything.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn drain_once(&self) -> bool {
        let uploads = self.due("upload u WHERE u.state = 'received' AND u.due_at <= {now}").await;
        let made_a_page = broadcasts::step(&self.context, None).await.expect("a page");
        // Marks what is granted; what it finds of other lanes is found below, whatever its hints say.
        dispatch::deliveries(&self.context, Uuid::nil(), ROOM).await.expect("a look");
        let deliveries = self
            .due(
                "delivery u LEFT JOIN lane l ON l.id = u.lane_id
                  WHERE coalesce(l.state = 'active' AND l.blocked_until <= {now} AND l.breaker_until <= {now}
                    AND (u.hinted_until > {now} OR (l.rate_limit IS NULL AND l.max_in_flight IS NULL
                         AND l.breaker_until = 0 AND u.due_at > l.drain_before)), true)
                  AND u.due_at <= {now} AND u.lease_until <= {now}",
            )
            .await;
        if uploads.is_empty() && deliveries.is_empty() {
            return made_a_page;
        }
        UploadProcessor::new(&self.context, CancellationToken::new()).process(uploads).await;
        self.send(&deliveries).await;
        true
    }

    /// Claims, sends and records these deliveries.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn send(&self, ids: &[Uuid]) {
        let (recorder, records) = Recorder::new(&self.context);
        let sender = Sender::new(&self.context, recorder).expect("a sender");
        let recorded = CancellationToken::new();
        let records = tokio::spawn(records.run(recorded.clone()));
        let claimed = claim(&self.context, ids).await.expect("a claim");
        let slots = Arc::new(Semaphore::new(claimed.len()));
        for delivery in claimed {
            let slot = Arc::clone(&slots).try_acquire_owned().expect("a slot each");
            sender.start(delivery, slot);
        }
        sender.drain(PATIENCE).await;
        recorded.cancel();
        records.await.expect("the recorder ends");
    }

    async fn due(&self, from: &str) -> Vec<Uuid> {
        let time = self.context.database.statement_time(&self.clock);
        let sql = |now: &str| format!("SELECT u.id FROM {} LIMIT 500", from.replace("{now}", now));
        match self.context.database.pool() {
            Pool::Postgres(pool) => {
                let sql = sqlx::AssertSqlSafe(sql(&format!("now_ms() + {time}")));
                sqlx::query_scalar(sql).fetch_all(pool).await.expect("due rows")
            }
            Pool::Sqlite(pool) => {
                let sql = sqlx::AssertSqlSafe(sql(&time.to_string()));
                sqlx::query_scalar(sql).fetch_all(pool).await.expect("due rows")
            }
        }
    }
}
