//! Counters of Postgres and Redis, which do not depend on the machine. They include the background work of the programs and
//! the few statements of the bench.

use std::{ops::Sub, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;

/// An idle connection of Postgres reports what it counted within ten seconds, one that ends does so at once.
const REPORTED_WITHIN: Duration = Duration::from_secs(11);
const STATISTICS: &str = "SELECT concat_ws(' ', xact_commit + xact_rollback, tup_inserted, tup_updated, tup_deleted) \
     FROM pg_stat_database WHERE datname = current_database()";

/// Counts since the servers started, or between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Committed and rolled back.
    pub(crate) transactions: u64,
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    /// With those that scripts call.
    pub(crate) redis_commands: u64,
}

/// Waits until connections that do nothing have reported their counts. Does not wait on SQLite, which counts nothing.
pub(crate) async fn settle_statistics(cluster: &Cluster) {
    if cluster.postgres.is_some() {
        tokio::time::sleep(REPORTED_WITHIN).await;
    }
}

impl Counts {
    /// Reads them; none where there is no Postgres. Complete only after [`settle_statistics`] or the end of all programs.
    ///
    /// # Errors
    /// When a server answers something else.
    pub(crate) async fn load(cluster: &Cluster) -> Result<Option<Self>> {
        let (Some(_), Some(redis)) = (&cluster.postgres, &cluster.redis) else { return Ok(None) };
        let statistics = cluster.store().rows.text(STATISTICS).await;
        let info: String = redis.ask(&["INFO", "stats"]).await;
        Self::parse(&statistics, &info).map(Some)
    }

    /// Name and value of each, by the given number of deliveries or seconds.
    pub(crate) fn by(self, divisor: f64) -> [(&'static str, f64); 5] {
        let counts = [
            ("transactions", self.transactions),
            ("rows_inserted", self.inserted),
            ("rows_updated", self.updated),
            ("rows_deleted", self.deleted),
            ("redis_commands", self.redis_commands),
        ];
        counts.map(|(name, count)| (name, count as f64 / divisor))
    }

    fn parse(statistics: &str, info: &str) -> Result<Self> {
        let numbers: Vec<u64> = statistics.split(' ').filter_map(|number| number.parse().ok()).collect();
        ensure!(numbers.len() == 4, "Postgres counts four things: {statistics}");
        let commands = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        let redis_commands = commands.context("Redis counts its commands")?.trim().parse()?;
        let [transactions, inserted, updated, deleted] = [numbers[0], numbers[1], numbers[2], numbers[3]];
        Ok(Self { transactions, inserted, updated, deleted, redis_commands })
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_sub(before.transactions),
            inserted: self.inserted.saturating_sub(before.inserted),
            updated: self.updated.saturating_sub(before.updated),
            deleted: self.deleted.saturating_sub(before.deleted),
            redis_commands: self.redis_commands.saturating_sub(before.redis_commands),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_servers() {
        let counts =
            Counts::parse("10 20 3 4", "# Stats\r\ntotal_commands_processed:99\r\n").expect("counts");
        assert_eq!((counts.transactions, counts.deleted, counts.redis_commands), (10, 4, 99));
        assert!(Counts::parse("10 20 3", "total_commands_processed:99").is_err());
        assert!(Counts::parse("10 20 3 4", "# Stats").is_err());
    }

    #[test]
    fn a_difference_is_divided_by_deliveries() {
        let counts = |transactions| Counts { transactions, ..Counts::default() };
        assert_eq!((counts(300) - counts(100)).by(100.0)[0], ("transactions", 2.0));
    }
}
