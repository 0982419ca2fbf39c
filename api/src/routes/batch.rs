//! Batches of things that are made together: all of them, in one statement, or none.

use axum::extract::Request;
use serde::Serialize;

use super::events;
use crate::{
    app::App,
    extract::{Fields, each, json_list},
    problem::Problem,
};

/// Most things of a batch.
const MAX_ITEMS: usize = 1_000;
/// Largest body of a batch, in bytes.
const MAX_BODY: usize = 8 * 1_024 * 1_024;

/// `{"data": […]}`, in the order in which they were given.
#[derive(Serialize)]
pub(crate) struct Batch<T> {
    pub(crate) data: Vec<T>,
}

/// Reads `{name: […]}`, each item by `read`.
pub(crate) async fn read<T>(
    app: &App,
    request: Request,
    name: &str,
    read: impl Fn(Fields) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let _budget = events::reserve(app, request.headers(), MAX_BODY)?;
    let items = json_list(request, MAX_BODY, &app.limits, name, MAX_ITEMS).await?;
    each(name, items, read)
}
