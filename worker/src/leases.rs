//! The leases of the sends in flight: renewed together while sends run longer, released when a stop cannot wait for them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::job::LEASE;
use entity::lease::{self, Lease, Table};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    telemetry::names,
};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// How often leases are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// A lease that ends within this time is renewed: two looks may fail before it ends.
const RENEWED_WITHIN: Duration = Duration::from_secs(8);

/// The leases of a worker. Clones share them.
#[derive(Clone, Default)]
pub struct Leases {
    held: Arc<Mutex<HashMap<Uuid, Held>>>,
}

#[derive(Clone, Copy)]
struct Held {
    claim: i32,
    until: Instant,
}

/// A lease that is renewed until this is dropped.
pub struct LeaseGuard {
    leases: Leases,
    lease: Lease,
}

impl Leases {
    /// Keeps this lease, which ends in `left`, until the guard is dropped.
    #[must_use]
    pub fn keep(&self, (id, claim): Lease, left: Duration) -> LeaseGuard {
        self.held().insert(id, Held { claim, until: Instant::now() + left });
        LeaseGuard { leases: self.clone(), lease: (id, claim) }
    }

    /// Renews what ends soon, until `stop`.
    pub async fn run(self, context: Context, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.renew(&context).await {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "leases could not be renewed; a send that outlives its lease is repeated");
            }
        }
    }

    /// Renews what ends soon, in one statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn renew(&self, context: &Context) -> Result<(), DatabaseError> {
        let ending = self.ending(Instant::now() + RENEWED_WITHIN);
        if ending.is_empty() {
            return Ok(());
        }
        let asked_at = Instant::now();
        let renewed = within_deadline(lease::renew(&context.database, &context.clock, &ending)).await?;
        if renewed.len() < ending.len() {
            info!(
                deliveries = ending.len() - renewed.len(),
                "leases were not renewed: their deliveries are being recorded, or other workers have claimed them"
            );
        }
        self.renewed(&renewed, asked_at + LEASE);
        Ok(())
    }

    /// Releases all that is held, so that other workers need not wait for the leases to end.
    ///
    /// # Errors
    /// Those of the database; then the leases end at their time.
    pub async fn release_all(&self, context: &Context) -> Result<usize, DatabaseError> {
        let left: Vec<Lease> = self.held().drain().map(|(id, held)| (id, held.claim)).collect();
        within_deadline(lease::release(&context.database, Table::Deliveries, &left)).await?;
        Ok(left.len())
    }

    fn ending(&self, by: Instant) -> Vec<Lease> {
        let held = self.held();
        held.iter().filter(|(_, held)| held.until <= by).map(|(id, held)| (*id, held.claim)).collect()
    }

    fn renewed(&self, ids: &[Uuid], until: Instant) {
        let mut held = self.held();
        for id in ids {
            if let Some(held) = held.get_mut(id) {
                held.until = until;
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let (id, claim) = self.lease;
        let mut held = self.leases.held();
        // This worker may have claimed it again meanwhile.
        if held.get(&id).is_some_and(|held| held.claim == claim) {
            held.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_due_for_renewal_shortly_before_its_end_and_not_after_its_send() {
        let leases = Leases::default();
        let guard = leases.keep((ID, 3), LEASE);
        let soon = || leases.ending(Instant::now() + RENEWED_WITHIN);
        assert_eq!(soon(), []);
        tokio::time::advance(LEASE - RENEWED_WITHIN).await;
        assert_eq!(soon(), [(ID, 3)]);
        leases.renewed(&[ID], Instant::now() + LEASE);
        assert_eq!(soon(), []);
        drop(guard);
        assert_eq!(leases.ending(Instant::now() + LEASE), []);
    }

    #[test]
    fn a_guard_of_an_older_claim_leaves_the_newer_one_alone() {
        let leases = Leases::default();
        let old = leases.keep((ID, 1), Duration::ZERO);
        let _new = leases.keep((ID, 2), Duration::ZERO);
        drop(old);
        assert_eq!(leases.ending(Instant::now()), [(ID, 2)]);
    }
}
