//! Every failed job or attempt, for people.

pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `error_log`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "error_log")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// `delivery`, `upload` or `job`.
    pub kind: String,
    /// What failed: a delivery, an upload.
    pub subject_id: Uuid,
    /// What happened, in words.
    pub message: String,
    /// Which attempt it was.
    pub attempt: Option<i32>,
    /// When it is tried again, in ms.
    pub next_retry_at: Option<i64>,
    /// When it came in, in ms.
    pub created_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
