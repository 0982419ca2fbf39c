//! `/v1/subscribers`: who gets what is announced, by a chat. Made again, a chat is the same subscriber: a bot may call at
//! every `/start`. Of two with one chat in a batch the last counts, and both are answered with what it became.

mod request;
mod store;
mod view;

use domain::{clock::Millis, id::SubscriberId};
use entity::subscriber::{Model, queries};
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use self::view::SubscriberOut;
use super::resource::Resource;
use crate::{app::App, extract::Fields, problem::Problem};

/// Subscribers as a resource.
pub(crate) enum Subscribers {}

impl Resource for Subscribers {
    type Id = SubscriberId;
    type Row = Model;
    type Out = SubscriberOut;

    const PLURAL: &'static str = "subscribers";
    const MISSING: &'static str = "there is no such subscriber";
    const UNREADABLE: &'static str = "subscribers cannot be read";
    const UNWRITTEN: &'static str = "subscribers were not written";
    const MAX_BODY: usize = 64 * 1_024;

    /// The statement sets its times.
    fn read(fields: Fields, _: Millis) -> Result<Model, Problem> {
        request::read(fields)
    }

    fn id(row: &Model) -> Uuid {
        row.id
    }

    async fn store(app: &App, rows: Vec<Model>) -> Result<Vec<Model>, Problem> {
        store::upsert(app, rows).await
    }

    async fn page(
        database: &Database,
        before: Option<SubscriberId>,
        limit: u64,
    ) -> Result<Vec<Model>, DatabaseError> {
        queries::page(database, before, limit).await
    }

    async fn find(database: &Database, id: SubscriberId) -> Result<Option<Model>, DatabaseError> {
        queries::find(database, id).await
    }

    async fn delete(database: &Database, id: SubscriberId) -> Result<bool, DatabaseError> {
        queries::delete(database, id).await
    }

    fn stored(row: Model) -> SubscriberOut {
        row.into()
    }
}
