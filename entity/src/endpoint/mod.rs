//! A registered webhook. Its secret and its headers are stored sealed.

pub mod change;
pub mod create;
pub mod delete;
pub mod event_types;
pub mod pause;
pub mod queries;
pub mod recipients;
pub mod secret;
pub mod target;
pub mod view;

use sea_orm::entity::prelude::*;

/// A row of `endpoint`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: i64,
    /// Where it is sent.
    pub url: String,
    /// What it is for, in words of its owner.
    pub description: String,
    /// Custom headers as JSON, sealed by `platform::keys`.
    pub sealed_headers: Option<Vec<u8>>,
    /// A JSON object laid over each body.
    pub custom_payload: Option<String>,
    /// The signing secret, sealed by `platform::keys`.
    pub sealed_secret: Vec<u8>,
    /// Deadline of an attempt, if not the default.
    pub timeout_ms: Option<i32>,
    /// Its own retry schedule, a JSON array of waits in seconds.
    pub retry_schedule: Option<String>,
    /// A JSON object of its owner's.
    pub metadata: Option<String>,
    /// When it came in, in ms.
    pub created_at: i64,
    /// When it was last changed, in ms.
    pub updated_at: i64,
}

/// The one row that belongs to it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The lane of the same id.
    #[sea_orm(belongs_to = "super::lane::Entity", from = "Column::Id", to = "super::lane::Column::Id")]
    Lane,
}

impl ActiveModelBehavior for ActiveModel {}
