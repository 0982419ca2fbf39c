//! Something that happened, with the body that recipients get, byte for byte.

pub mod insert;
pub mod publish;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// The name of its type.
    pub event_type: String,
    /// The bytes that are signed and sent.
    pub body: Vec<u8>,
    /// When it came in, in ms.
    pub created_at: i64,
    /// Whether it named its endpoints, instead of going to all that are registered for its type.
    pub addressed: bool,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
