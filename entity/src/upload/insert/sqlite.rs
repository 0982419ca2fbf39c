//! Uploads on SQLite.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::UploadRow;
use crate::{
    rows::sqlite::{ROWS, push_rows},
    stamp::Stamp,
};

pub(super) async fn insert(tx: &mut SqliteConnection, rows: &[UploadRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO upload
        (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, claim, lease_until, created_at) ";
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        push_rows(&mut insert, rows, |mut values, row| {
            values
                .push_bind(row.map(|row| row.id.0))
                .push_bind(row.map(|row| row.endpoint_id.0))
                .push_bind(row.map(|row| row.user_id.0))
                .push_bind(row.map(|row| row.file_name.as_str()))
                .push_bind(row.map(|row| row.storage_key.as_str()))
                .push_bind(row.map(|row| row.size_bytes))
                .push_bind(stamp.now_or_offset)
                .push_bind(row.map(|row| i32::from(row.leased)))
                .push_bind(row.map(|row| stamp.lease_until(row.leased)))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}
