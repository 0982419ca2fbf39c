//! How many messages each sender sent. Written with the messages, in one transaction.

use sea_orm::entity::prelude::*;

/// A row of `message_sender`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_sender")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The sender, by E.164.
    pub sender: String,
    /// How many messages there are from it.
    pub messages: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
