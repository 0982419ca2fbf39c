//! Partitions of the days to come, on Postgres. Without them rows would pile up in the default partitions.

use std::time::Duration;

use platform::{context::Context, database::Pool};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// Days made ahead.
const AHEAD: i32 = 7;

/// Makes partitions ahead until `stop`.
pub async fn partitions(context: Context, stop: CancellationToken) {
    let Pool::Postgres(pool) = context.database.pool() else { return };
    while !stop.is_cancelled() {
        let made = sqlx::query("SELECT make_partitions(0, $1)").bind(AHEAD).execute(pool).await;
        if let Err(error) = made {
            warn!(%error, "partitions were not made ahead; rows go to the default partition");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}
