//! Ids that a claim did not get. Mostly somebody else has them; but a row that was locked at that moment, by a look
//! or a hand, is passed over, and nobody would come back to it before its hint has run out. So its mark is taken off.

use entity::bulk::{Work, unhint};
use platform::context::Context;
use tokio::sync::mpsc;
use tracing::debug;
use uuid::Uuid;

use super::Claimed;

/// Batches that may wait; beyond it marks run out by themselves.
const WAITING: usize = 64;

/// Where such ids are handed in.
pub(super) struct Missed {
    batches: mpsc::Sender<Vec<Uuid>>,
}

/// Gives them back to the dispatchers, aside: it waits for locks, and claims must not.
pub(super) struct Returns {
    batches: mpsc::Receiver<Vec<Uuid>>,
    context: Context,
}

pub(super) fn new(context: &Context) -> (Missed, Returns) {
    let (sender, batches) = mpsc::channel(WAITING);
    (Missed { batches: sender }, Returns { batches, context: context.clone() })
}

impl Missed {
    /// Gives back those of `asked` that the claim passed over. There are none, usually.
    pub(super) fn look_after(&self, asked: Vec<Uuid>, claimed: &[Claimed]) {
        if asked.len() > claimed.len() {
            self.give_back(passed_over(asked, claimed));
        }
    }

    pub(super) fn give_back(&self, ids: Vec<Uuid>) {
        if !ids.is_empty() {
            let _ = self.batches.try_send(ids);
        }
    }
}

impl Returns {
    /// Runs until nobody can hand anything in.
    pub(super) async fn run(mut self) {
        while let Some(ids) = self.batches.recv().await {
            match unhint(self.context.database.writer(), Work::Deliveries, &ids).await {
                Ok(0) => {}
                Ok(_) => self.context.queue.wake(),
                Err(error) => {
                    debug!(%error, "marks were left on rows that were missed; they run out by themselves")
                }
            }
        }
    }
}

fn passed_over(mut asked: Vec<Uuid>, claimed: &[Claimed]) -> Vec<Uuid> {
    let mut got: Vec<Uuid> = claimed.iter().map(|delivery| delivery.id).collect();
    got.sort_unstable();
    asked.retain(|id| got.binary_search(id).is_err());
    asked
}
