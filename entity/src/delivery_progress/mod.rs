//! How many parts of a message are out, of deliveries that failed in the midst.

use sea_orm::entity::prelude::*;

/// A row of `delivery_progress`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_progress")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The delivery.
    pub id: Uuid,
    /// Parts that were accepted, from the first one on.
    pub parts: i16,
}

from_row!(Model { id, parts });

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
