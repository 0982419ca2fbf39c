//! Inserts uploads, many in one statement, within the caller's transaction.

mod postgres;
mod sqlite;

use domain::id::{EndpointId, UploadId, UserId};
use platform::database::{DatabaseError, Tx};

use crate::stamp::Stamp;

/// An upload to insert, due at once.
#[derive(Clone, Debug)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// The endpoint it belongs to.
    pub endpoint_id: EndpointId,
    /// The endpoint's tenant.
    pub user_id: UserId,
    /// The safe name.
    pub file_name: String,
    /// Where the file lies in the storage.
    pub storage_key: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Whether it is inserted with a lease, because a job follows the commit.
    pub leased: bool,
}

/// Inserts uploads, due at once.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn insert_uploads(tx: &mut Tx, rows: &[UploadRow], stamp: Stamp) -> Result<(), DatabaseError> {
    match tx {
        Tx::Postgres(tx) => postgres::insert(tx, rows, stamp).await?,
        Tx::Sqlite(tx) => sqlite::insert(tx, rows, stamp).await?,
    }
    Ok(())
}
