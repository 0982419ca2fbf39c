//! Signed messages, each once for the id that its sender gave it.

pub mod insert;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `message`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// What its sender calls it.
    pub message_id: String,
    /// Whom it is from, by E.164.
    pub sender: String,
    /// Whom it is to, by E.164.
    pub recipient: String,
    /// When it was written, as it was sent.
    pub ts: String,
    /// What orders it among all: text whose order is that of the instants.
    pub ts_key: String,
    /// What it says, if anything.
    pub text: Option<String>,
    /// What it says without the difference of upper and lower case; none where that is the text itself.
    pub folded: Option<String>,
    /// The event that it became.
    pub event_id: Uuid,
    /// When it came in, in ms.
    pub created_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
