//! How many messages and senders there are: the sum of all rows. Each transaction that adds some takes one row.

pub mod grow;

use sea_orm::entity::prelude::*;

/// A row of `message_total`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_total")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Which part of the sum, from 0 to 15.
    pub shard: i16,
    /// Messages that were counted here.
    pub messages: i64,
    /// Senders that were counted here, each with its first message.
    pub senders: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
