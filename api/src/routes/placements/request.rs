//! Validates a placement, member by member; all errors are reported together.

use domain::{
    clock::Millis,
    id::PlacementId,
    notification::{MAX_NAME_CHARS, ValueError, check_day, check_package},
};
use entity::placement::Model;
use serde_json::Value;

use crate::{
    extract::Fields,
    problem::Problem,
    routes::text::{note, string, text},
};

/// Reads one.
pub(super) fn read(mut fields: Fields, now: Millis) -> Result<Model, Problem> {
    let student = fields.required("student", text(MAX_NAME_CHARS));
    let company = fields.required("company", text(MAX_NAME_CHARS));
    let role = fields.optional("role", note(MAX_NAME_CHARS));
    let package = fields.optional("package", package);
    let placed_on = fields.optional("placed_on", day);
    let (Some(student), Some(company)) = (student, company) else {
        return Err(fields.refused());
    };
    fields.done()?;
    Ok(Model { id: PlacementId::new().0, student, company, role, package, placed_on, created_at: now.0 })
}

fn package(value: &Value) -> Result<f64, String> {
    let package = value.as_f64().ok_or_else(|| ValueError::Package.to_string())?;
    check_package(package).map_err(|wrong| wrong.to_string())?;
    // Minus zero is zero.
    Ok(package + 0.0)
}

fn day(value: &Value) -> Result<String, String> {
    let day = string(value)?;
    check_day(day).map_err(|wrong| wrong.to_string())?;
    Ok(day.to_owned())
}
