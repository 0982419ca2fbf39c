//! `/v1/notices`: what is announced to every recipient, once on each channel. Nothing here announces them; what a deleted one
//! owes to recipients by then is still delivered.

mod request;
mod view;

use domain::{clock::Millis, id::NoticeId};
use entity::notice::{Model, insert::insert_notices, queries};
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use self::view::NoticeOut;
use super::resource::Resource;
use crate::{app::App, extract::Fields, problem::Problem};

/// Notices as a resource.
pub(crate) enum Notices {}

impl Resource for Notices {
    type Id = NoticeId;
    type Row = Model;
    type Out = NoticeOut;

    const PLURAL: &'static str = "notices";
    const MISSING: &'static str = "there is no such notice";
    const UNREADABLE: &'static str = "notices cannot be read";
    const UNWRITTEN: &'static str = "notices were not written";
    // The longest message may come with every character escaped.
    const MAX_BODY: usize = 256 * 1_024;

    fn read(fields: Fields, now: Millis) -> Result<Model, Problem> {
        request::read(fields, now)
    }

    fn id(row: &Model) -> Uuid {
        row.id
    }

    async fn store(app: &App, rows: Vec<Model>) -> Result<Vec<Model>, Problem> {
        insert_notices(&app.context.database, &rows).await.map_err(Self::unwritten)?;
        Ok(rows)
    }

    async fn page(
        database: &Database,
        before: Option<NoticeId>,
        limit: u64,
    ) -> Result<Vec<Model>, DatabaseError> {
        queries::page(database, before, limit).await
    }

    async fn find(database: &Database, id: NoticeId) -> Result<Option<Model>, DatabaseError> {
        queries::find(database, id).await
    }

    async fn delete(database: &Database, id: NoticeId) -> Result<bool, DatabaseError> {
        queries::delete(database, id).await
    }

    fn stored(row: Model) -> NoticeOut {
        NoticeOut::unsent(row)
    }

    async fn found(app: &App, rows: Vec<Model>) -> Result<Vec<NoticeOut>, Problem> {
        view::with_broadcasts(app, rows).await
    }
}
