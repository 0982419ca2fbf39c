//! Dead rows of the deliveries under way, on Postgres. Each delivery leaves one or more of them, and they lie where claims
//! begin to read: at ten thousand a second there are half a million in the minute until the server's autovacuum comes.

use std::time::Duration;

use entity::delivery::vacuum::vacuum_when_due;
use platform::{context::Context, database::Pool};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);
/// Fewer dead rows are left to the server.
const LEAST_DEAD: i64 = 20_000;
/// A table of more pages (of 8 KiB) is left to the server too: it takes long, and has few that are dead for its size.
const MOST_PAGES: i64 = 131_072;

/// Vacuums until `stop`.
pub async fn vacuum(context: Context, stop: CancellationToken) {
    let Pool::Postgres(_) = context.database.pool() else { return };
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        // A stop does not wait for it: the server goes on.
        let vacuum = vacuum_when_due(&context.database, LEAST_DEAD, MOST_PAGES);
        if let Some(Err(error)) = stop.run_until_cancelled(vacuum).await {
            debug!(%error, "dead rows are left to the server");
        }
    }
}
