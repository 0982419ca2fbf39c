//! Waiting for what another process does: bounded, and in vain only with a reason. Never for what runs in the test itself.

use std::time::{Duration, Instant};

/// How often one looks. Other processes cannot be awaited, only looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` finds something.
///
/// # Panics
/// Naming `what`, when nothing was found within `within`.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not seen within {within:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
