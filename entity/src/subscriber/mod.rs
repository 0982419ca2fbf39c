//! Those who get what is announced, by a chat.

pub mod queries;
pub mod upsert;

use sea_orm::entity::prelude::*;

/// A row of `subscriber`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscriber")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The user that it is, if anybody said so.
    pub user_id: Option<i64>,
    /// The chat: a number, or `@name`.
    pub chat_id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it gets anything: false once its chat blocked the bot.
    pub active: bool,
    /// When it was made, in ms.
    pub created_at: i64,
    /// When it was last changed, in ms.
    pub updated_at: i64,
}

from_row!(Model { id, user_id, chat_id, name, active, created_at, updated_at });

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
