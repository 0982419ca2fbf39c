//! The processes that run, by their heartbeats.

pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `process`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "process")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// `hookyard`, `api` or `worker`.
    pub kind: String,
    /// Host and process id.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The queues it works, by comma.
    pub queues: String,
    /// Its send slots.
    pub slots: i32,
    /// Sends under way.
    pub in_flight: i32,
    /// Whether its queue answers.
    pub queue_ok: bool,
    /// When it started, in ms.
    pub started_at: i64,
    /// Its last heartbeat, in ms.
    pub seen_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
