//! The memory budget for bodies in flight: a body that would exceed it is refused before it is read.

use domain::problem::ProblemCode;
use http::HeaderMap;
use tokio::sync::SemaphorePermit;

use crate::{app::App, extract::announced, limits::BYTES_PER_PERMIT, problem::Problem};

/// Reserves memory for the body that the headers announce; for the largest that is accepted when they announce none.
///
/// # Errors
/// 503 when the budget is spent.
pub(crate) fn reserve<'a>(
    app: &'a App,
    headers: &HeaderMap,
    limit: usize,
) -> Result<SemaphorePermit<'a>, Problem> {
    let announced = announced(headers).and_then(|length| usize::try_from(length).ok());
    let permits = announced.map_or(limit, |length| length.min(limit)).div_ceil(BYTES_PER_PERMIT);
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    app.publishing.try_acquire_many(permits).map_err(|_| ProblemCode::Overloaded.into())
}
