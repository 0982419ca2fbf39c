//! Pages of the lists of `/v1`: newest first, by a cursor.

use serde::Serialize;
use uuid::Uuid;

use crate::extract::Query;

/// Most rows of a page.
const MAX_LIMIT: u64 = 1_000;
/// Rows of a page by default.
const DEFAULT_LIMIT: u64 = 100;

/// How many rows are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(u64);

/// `{"data": […], "next_cursor": …}`.
#[derive(Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<Uuid>,
}

impl Limit {
    /// Takes `limit` from the query.
    pub(crate) fn of(query: &mut Query) -> Self {
        Self(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT))
    }

    /// Rows to read: one more than are shown says whether there is another page.
    pub(crate) const fn to_read(self) -> u64 {
        self.0 + 1
    }

    /// Cuts `rows` to the page and says where the next one begins.
    pub(crate) fn cut<R>(self, rows: &mut Vec<R>, id: impl FnOnce(&R) -> Uuid) -> Option<Uuid> {
        let more = rows.len() as u64 > self.0;
        rows.truncate(usize::try_from(self.0).unwrap_or(usize::MAX));
        rows.last().filter(|_| more).map(id)
    }
}

impl<T> Page<T> {
    /// A page of these rows.
    pub(crate) const fn of(data: Vec<T>, next_cursor: Option<Uuid>) -> Self {
        Self { data, next_cursor }
    }
}
