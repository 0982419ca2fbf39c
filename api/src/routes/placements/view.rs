//! A placement as callers see it.

use domain::{clock::Millis, id::PlacementId};
use entity::placement::Model;
use serde::Serialize;

/// A placement.
#[derive(Serialize)]
pub(crate) struct PlacementOut {
    id: PlacementId,
    student: String,
    company: String,
    role: Option<String>,
    package: Option<f64>,
    placed_on: Option<String>,
    created_at: String,
}

impl From<Model> for PlacementOut {
    fn from(row: Model) -> Self {
        Self {
            id: row.id.into(),
            student: row.student,
            company: row.company,
            role: row.role,
            package: row.package,
            placed_on: row.placed_on,
            created_at: Millis(row.created_at).rfc3339(),
        }
    }
}
