//! Statements of few different lengths. SQLite compiles a statement for each length, at a cost of several µs a row, more
//! than carrying it out takes; these few are compiled once and kept.

use sqlx::{QueryBuilder, Sqlite, query_builder::Separated};
use uuid::Uuid;

/// Most rows a statement: with at most fifteen columns far below SQLite's 32,766 bound values.
pub const ROWS: usize = 512;

/// The places of a statement that has room for so many rows: a power of two, or three quarters of one.
#[must_use]
pub const fn places(rows: usize) -> usize {
    let whole = rows.next_power_of_two();
    let less = whole / 4 * 3;
    if rows == 0 {
        0
    } else if rows <= less {
        less
    } else {
        whole
    }
}

/// Pushes `SELECT * FROM (VALUES …) WHERE column1 IS NOT NULL`: these rows, at most [`ROWS`], and nothing in the places
/// that are left. `push` binds the columns of a row; for a place without one, as many NULLs.
pub fn push_rows<'r, Row>(
    query: &mut QueryBuilder<Sqlite>,
    rows: &'r [Row],
    push: impl FnMut(Separated<'_, Sqlite, &'static str>, Option<&'r Row>),
) {
    let all = rows.iter().map(Some).chain(std::iter::repeat(None)).take(places(rows.len()));
    query.push("SELECT * FROM (").push_values(all, push).push(") WHERE column1 IS NOT NULL");
}

/// Pushes `(?, ?, …)`. The last id fills the places that are left.
pub fn push_list(query: &mut QueryBuilder<Sqlite>, ids: &[Uuid]) {
    push_list_of(query, ids, places(ids.len()));
}

/// Does the same with so many places, or more when there are more ids.
pub fn push_list_of(query: &mut QueryBuilder<Sqlite>, ids: &[Uuid], places: usize) {
    query.push("(");
    let mut list = query.separated(", ");
    let all = ids.iter().chain(std::iter::repeat_n(ids.last(), places).flatten());
    for id in all.take(places.max(ids.len())) {
        list.push_bind(*id);
    }
    query.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_few_and_never_too_short() {
        let expected = [0, 1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 12, 12, 16];
        for (rows, places_of) in expected.into_iter().enumerate() {
            assert_eq!(places(rows), places_of, "{rows}");
        }
        assert_eq!((places(384), places(385), places(ROWS)), (384, ROWS, ROWS));
        let all: std::collections::BTreeSet<usize> = (1..=ROWS).map(places).collect();
        assert!(all.len() <= 19, "{all:?}");
        assert!((1..=ROWS).all(|rows| places(rows) >= rows));
    }

    #[test]
    fn a_list_is_filled_up_with_its_last_id() {
        for (ids, places) in [(0, 0), (1, 1), (3, 3), (4, 4), (5, 6), (7, 8)] {
            let mut query = QueryBuilder::new("");
            push_list(&mut query, &vec![Uuid::nil(); ids]);
            assert_eq!(query.sql().as_str().matches('?').count(), places, "{ids}");
        }
    }

    #[test]
    fn rows_are_filled_up_with_nothing() {
        for (rows, places) in [(1, 1), (5, 6), (ROWS, ROWS)] {
            let mut query = QueryBuilder::new("");
            let mut filled = 0;
            push_rows(&mut query, &vec![7; rows], |mut values, row: Option<&i64>| {
                filled += usize::from(row.is_none());
                values.push_bind(row.copied());
            });
            assert_eq!(query.sql().as_str().matches('?').count(), places, "{rows}");
            assert_eq!(filled, places - rows);
        }
    }
}
