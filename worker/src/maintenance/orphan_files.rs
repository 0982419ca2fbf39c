//! Files without a row: an accept whose outcome was unknown leaves its file, and an accept
//! that was not written never learns of it. A day later it is certain, and the file goes.

use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use domain::id::UploadId;
use entity::upload::queries::known;
use platform::{context::Context, database::DatabaseError, storage::StorageError};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// A file younger than this may still get its row.
const CERTAIN: Duration = Duration::from_secs(24 * 3600);
/// For how long after that it is looked at: rounds that failed, and a process that was off, are caught up with.
const LOOKED_AT: Duration = Duration::from_secs(3 * 24 * 3600);
/// Most files of one round.
const A_ROUND: usize = 100_000;
/// Ids asked for in one statement.
const AT_ONCE: usize = 1_000;
/// Where uploads lie in the storage.
const FOLDER: &str = "uploads";

/// A round failed; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum OrphanError {
    /// The storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Looks until `stop`.
pub async fn orphans(context: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let certain = SystemTime::now() - CERTAIN;
        match sweep(&context, certain - LOOKED_AT..certain).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "removed files that no upload knows"),
            Err(error) => warn!(%error, "files without a row were not looked for"),
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Removes files last written to within `written` that no row knows, and returns how many.
///
/// # Errors
/// When the storage or the database fails.
pub async fn sweep(context: &Context, written: Range<SystemTime>) -> Result<usize, OrphanError> {
    let names = context.storage.written_within(FOLDER, written, A_ROUND).await?;
    let ids: Vec<UploadId> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let mut removed = 0;
    for ids in ids.chunks(AT_ONCE) {
        let known = known(&context.database, ids).await?;
        for id in ids.iter().filter(|id| !known.contains(&id.0)) {
            context.storage.delete(&format!("{FOLDER}/{id}")).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
