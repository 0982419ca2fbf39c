//! What is announced to every subscriber, once on each channel.

pub mod insert;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `notice`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The title.
    pub title: String,
    /// The message.
    pub message: String,
    /// Its type, a word of its maker.
    pub kind: String,
    /// Where to read more.
    pub url: Option<String>,
    /// When it was made, in ms.
    pub created_at: i64,
}

from_row!(Model { id, title, message, kind, url, created_at });

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
