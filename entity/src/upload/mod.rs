//! A file that came in for an endpoint, the work of processing it, and what was found out.

pub mod claim;
pub mod finish;
pub mod insert;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `upload`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The endpoint.
    pub endpoint_id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: i64,
    /// Its state, a word of the domain.
    pub state: String,
    /// The safe file name.
    pub file_name: String,
    /// Where the file lies in the storage.
    pub storage_key: String,
    /// Its size.
    pub size_bytes: i64,
    /// Its SHA-256 in hex.
    pub sha256: Option<String>,
    /// Its media type, sniffed.
    pub media_type: Option<String>,
    /// Facts by kind, as JSON.
    pub facts: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// The event.
    pub event_id: Option<Uuid>,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// How often it was claimed: the fence.
    pub claim: i32,
    /// When it is due, in ms.
    pub due_at: i64,
    /// Until then (ms) a worker has it.
    pub lease_until: i64,
    /// When it came in, in ms.
    pub created_at: i64,
    /// When it ended, in ms.
    pub finished_at: Option<i64>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
