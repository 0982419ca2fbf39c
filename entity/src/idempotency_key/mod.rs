//! Keys under which a user has published: a repeat within 24 h is answered with the first event.

pub mod keys;
mod postgres;
pub mod queries;
mod sqlite;

use sea_orm::entity::prelude::*;

/// A row of `idempotency_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The tenant.
    pub user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    /// The key, as the user chose it.
    pub key: String,
    /// SHA-256 of what was published under it.
    pub body_hash: Vec<u8>,
    /// The event that it made.
    pub event_id: Uuid,
    /// How many deliveries that event had.
    pub deliveries: i32,
    /// When it came in, in ms.
    pub created_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
