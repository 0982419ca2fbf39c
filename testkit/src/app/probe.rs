//! Reads deliveries, attempts and uploads from the database for tests.

use domain::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId},
};
use entity::{attempt, delivery, error_log, event, finished_delivery, upload};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::TestApp;

/// A delivery, whichever table it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// Its state.
    pub state: DeliveryState,
    /// The reason of its end.
    pub reason: Option<String>,
    /// Recorded attempts.
    pub attempts: i32,
    /// Claims.
    pub claim: i32,
    /// When it is due, if it is not finished.
    pub due_at: Option<i64>,
}

impl TestApp {
    /// Returns the deliveries of an event.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn deliveries_of(&self, event: EventId) -> Vec<DeliveryView> {
        let reader = self.context.database.reader();
        let now = self.clock.now().0;
        let open = delivery::Entity::find().filter(delivery::Column::EventId.eq(event.0)).all(reader);
        let finished =
            finished_delivery::Entity::find().filter(finished_delivery::Column::EventId.eq(event.0));
        let open = open.await.expect("open deliveries").into_iter().map(|row| DeliveryView {
            id: row.id.into(),
            state: if row.lease_until > now { DeliveryState::Sending } else { DeliveryState::Pending },
            reason: None,
            attempts: row.attempts,
            claim: row.claim,
            due_at: Some(row.due_at),
        });
        let finished =
            finished.all(reader).await.expect("finished deliveries").into_iter().map(|row| DeliveryView {
                id: row.id.into(),
                state: row.state.parse().expect("a state"),
                reason: row.reason,
                attempts: row.attempts,
                claim: row.claim,
                due_at: None,
            });
        open.chain(finished).collect()
    }

    /// Returns the only delivery of an event.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub async fn delivery_of(&self, event: EventId) -> DeliveryView {
        let mut found = self.deliveries_of(event).await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// Returns the attempts at a delivery, in order.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn attempts_of(&self, delivery: DeliveryId) -> Vec<attempt::Model> {
        let newest_first = entity::delivery::queries::attempts(&self.context.database, delivery).await;
        let mut attempts = newest_first.expect("attempts");
        attempts.reverse();
        attempts
    }

    /// Returns every upload.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn uploads(&self) -> Vec<upload::Model> {
        upload::Entity::find().all(self.context.database.reader()).await.expect("uploads")
    }

    /// Returns every event.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn events(&self) -> Vec<event::Model> {
        event::Entity::find().all(self.context.database.reader()).await.expect("events")
    }

    /// Returns every entry of the error log, in order.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn errors(&self) -> Vec<error_log::Model> {
        let lines = error_log::Entity::find().order_by_asc(error_log::Column::Id);
        lines.all(self.context.database.reader()).await.expect("lines")
    }

    /// Returns the numbers of unfinished and finished deliveries.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn counts(&self) -> (u64, u64) {
        let reader = self.context.database.reader();
        let open = delivery::Entity::find().count(reader).await.expect("a count");
        (open, finished_delivery::Entity::find().count(reader).await.expect("a count"))
    }
}

impl TestApp {
    /// Returns the number of deliveries with a live lease.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn leased(&self) -> u64 {
        let now = self.clock.now().0;
        let leased = delivery::Entity::find().filter(delivery::Column::LeaseUntil.gt(now));
        leased.count(self.context.database.reader()).await.expect("a count")
    }
}
