//! Memory for bodies under way: what would not fit is refused before it is read.

use domain::problem::ProblemCode;
use http::HeaderMap;
use tokio::sync::SemaphorePermit;

use crate::{app::App, extract::announced, problem::Problem};

/// Bytes of a unit that is reserved.
pub(crate) const UNIT: usize = 1_024;

/// Room for the body that the headers announce; for the largest that is taken when they announce none.
pub(crate) fn reserve<'a>(
    app: &'a App,
    headers: &HeaderMap,
    limit: usize,
) -> Result<SemaphorePermit<'a>, Problem> {
    let announced = announced(headers).and_then(|length| usize::try_from(length).ok());
    let units = announced.map_or(limit, |length| length.min(limit)).div_ceil(UNIT);
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    app.publishing.try_acquire_many(units).map_err(|_| ProblemCode::Overloaded.into())
}
