//! Bulk inserts on SQLite: rows as `VALUES`, cut into statements of few different lengths.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{DeliveryRow, EventRow, Stamp, UploadRow, Work};

/// Most rows a statement: with at most fifteen columns far below SQLite's 32,766 bound values. A power of two.
const ROWS: usize = 512;

/// Inserts events.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_events(tx: &mut SqliteConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO event (id, user_id, event_type, body, addressed, created_at) ";
    for rows in cut(rows) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.user_id.map(|user| user.0))
                .push_bind(row.event_type.as_str())
                .push_bind(row.body.as_slice())
                .push_bind(row.addressed)
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Inserts deliveries. What is due in the past, or names no time, is due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_deliveries(tx: &mut SqliteConnection, rows: &[DeliveryRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO delivery
        (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, hinted_until, created_at) ";
    for rows in cut(rows) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.event_id.0)
                .push_bind(row.user_id.map(|user| user.0))
                .push_bind(row.lane_id.0)
                .push_bind(row.channel.as_str())
                .push_bind(row.recipient_id)
                .push_bind(row.body.as_deref())
                .push_bind(row.due_at.map_or(stamp.now_or_offset, |due| due.0.max(stamp.now_or_offset)))
                .push_bind(stamp.hinted_until(row.hinted))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Inserts uploads, due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_uploads(tx: &mut SqliteConnection, rows: &[UploadRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO upload
        (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, hinted_until, created_at) ";
    for rows in cut(rows) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.endpoint_id.0)
                .push_bind(row.user_id.0)
                .push_bind(row.file_name.as_str())
                .push_bind(row.storage_key.as_str())
                .push_bind(row.size_bytes)
                .push_bind(stamp.now_or_offset)
                .push_bind(stamp.hinted_until(row.hinted))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

pub(super) async fn unhint(tx: &mut SqliteConnection, work: Work, ids: &[Uuid]) -> Result<u64> {
    let head = match work {
        Work::Deliveries => "UPDATE delivery SET hinted_until = 0 WHERE hinted_until > 0 AND id IN ",
        Work::Uploads => "UPDATE upload SET hinted_until = 0 WHERE hinted_until > 0 AND id IN ",
    };
    let mut unmarked = 0;
    for ids in ids.chunks(ROWS) {
        let mut update = QueryBuilder::<Sqlite>::new(head);
        push_list(&mut update, ids);
        unmarked += update.build().execute(&mut *tx).await?.rows_affected();
    }
    Ok(unmarked)
}

/// Cuts rows into statements whose lengths are powers of two, at most 512. SQLite compiles a statement for each length, at
/// a cost of several µs a row, more than carrying it out takes; these few lengths are compiled once and kept.
pub fn cut<Row>(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = ROWS.min(1 << rest.len().checked_ilog2()?);
        let (next, more) = rest.split_at(length);
        rest = more;
        Some(next)
    })
}

/// Pushes `(?, ?, …)`. The last id is repeated up to the next power of two, for the same reason as [`cut`].
pub fn push_list(query: &mut QueryBuilder<Sqlite>, ids: &[Uuid]) {
    query.push("(");
    let mut list = query.separated(", ");
    let length = if ids.is_empty() { 0 } else { ids.len().next_power_of_two() };
    for id in ids.iter().chain(std::iter::repeat_n(ids.last(), length).flatten()).take(length) {
        list.push_bind(*id);
    }
    query.push(")");
}

impl Stamp {
    const fn hinted_until(self, hinted: bool) -> i64 {
        if hinted { self.now_or_offset + self.hint_trusted } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(rows: usize) -> Vec<usize> {
        cut(&vec![(); rows]).map(<[()]>::len).collect()
    }

    #[test]
    fn rows_are_cut_into_powers_of_two_and_none_is_left_out() {
        let none: [usize; 0] = [];
        assert_eq!(lengths(0), none);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(511), [256, 128, 64, 32, 16, 8, 4, 2, 1]);
        assert_eq!(lengths(512), [512]);
        assert_eq!(lengths(513), [512, 1]);
        let numbers: Vec<usize> = (0..300).collect();
        assert_eq!(cut(&numbers).flatten().copied().collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn a_list_is_filled_up_to_a_power_of_two() {
        for (ids, places) in [(0, 0), (1, 1), (3, 4), (4, 4), (5, 8)] {
            let mut query = QueryBuilder::new("");
            push_list(&mut query, &vec![Uuid::nil(); ids]);
            assert_eq!(query.sql().as_str().matches('?').count(), places, "{ids}");
        }
    }
}
