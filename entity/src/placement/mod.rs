//! Job offers that candidates received.

pub mod insert;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `placement`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "placement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// Who got it.
    pub student: String,
    /// Who made it.
    pub company: String,
    /// As what.
    pub role: Option<String>,
    /// What is paid, in whatever unit its maker uses.
    pub package: Option<f64>,
    /// The day, as `YYYY-MM-DD`.
    pub placed_on: Option<String>,
    /// When it was made, in ms.
    pub created_at: i64,
}

from_row!(Model { id, student, company, role, package, placed_on, created_at });

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
