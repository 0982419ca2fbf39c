//! Everything that the overview shows, read at one moment, shared by all who look.

use std::{sync::Arc, time::Duration};

use domain::{clock::Millis, job::QueueName};
use entity::{
    attempt::rates,
    delivery::{
        backlog::{Backlog, backlog},
        queries::{self as deliveries, Row},
        totals::{Totals, totals},
    },
    error_log,
    process::queries::{self as processes, Process},
    scope::Scope,
};
use platform::database::DatabaseError;

use super::series::Series;
use crate::sources::Sources;

/// How many deliveries the overview shows.
const DELIVERIES: i64 = 15;
/// How many errors the overview shows.
const ERRORS: u64 = 8;
/// Longest wait for a queue's depth: a queue that is away must not hold up the page.
const DEPTH_DEADLINE: Duration = Duration::from_millis(500);

/// A queue as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueDepth {
    /// Which queue.
    pub(crate) name: QueueName,
    /// Ids that it holds; none when it did not say.
    pub(crate) depth: Option<usize>,
}

/// How long totals are kept that say "10,000+" anyway.
const CUT_TOTALS_KEPT: Duration = Duration::from_secs(15);

/// What the overview shows, as read at `at`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// When it was read.
    pub(crate) at: Millis,
    /// What is under way.
    pub(crate) backlog: Backlog,
    /// What came in and how it ended.
    pub(crate) totals: Totals,
    /// When that was counted.
    totals_at: Millis,
    /// The queues.
    pub(crate) queues: Vec<QueueDepth>,
    /// Whether the queue answered this process lately.
    pub(crate) queue_healthy: bool,
    /// The processes that showed a heartbeat.
    pub(crate) processes: Vec<Process>,
    /// The newest deliveries.
    pub(crate) deliveries: Vec<Row>,
    /// The newest errors.
    pub(crate) errors: Vec<error_log::Model>,
    /// Attempts a second.
    pub(crate) series: Arc<Series>,
}

impl Snapshot {
    /// Reads everything; `before` is what the series is carried on from.
    pub(crate) async fn load(sources: &Sources, before: Option<&Self>) -> Result<Self, DatabaseError> {
        let (database, at) = (&sources.database, sources.clock.now());
        let time = database.statement_time(&sources.clock);
        let series = before.map(|before| Arc::clone(&before.series)).unwrap_or_default();
        let look = rates::per_second(database, series.count_from(at)).await?;
        let kept_totals = before.and_then(|before| before.totals_for(at));
        let (totals, totals_at) = match kept_totals {
            Some(kept) => kept,
            None => (totals(database, at).await?, at),
        };
        Ok(Self {
            at,
            backlog: backlog(database, at).await?,
            totals,
            totals_at,
            queues: depths(sources).await,
            queue_healthy: sources.queue.is_healthy(),
            processes: processes::listed(database, at).await?,
            deliveries: deliveries::latest(database, time, DELIVERIES).await?,
            errors: error_log::queries::page(database, Scope::Everyone, None, ERRORS).await?,
            series: Arc::new(series.with(&look, at)),
        })
    }

    /// The totals once more, where counting again would hardly tell more: all of them were cut short a moment ago.
    fn totals_for(&self, at: Millis) -> Option<(Totals, Millis)> {
        let recent = at.since(self.totals_at) < CUT_TOTALS_KEPT;
        (recent && self.totals.are_cut_short()).then_some((self.totals, self.totals_at))
    }

    /// Whether both list the same deliveries as they stand.
    pub(crate) fn same_deliveries(&self, other: &Self) -> bool {
        self.deliveries.len() == other.deliveries.len()
            && self.deliveries.iter().zip(&other.deliveries).all(|(one, two)| one.shows_the_same(two))
    }

    /// Whether there has never been anything to show.
    pub(crate) fn is_untouched(&self) -> bool {
        self.deliveries.is_empty() && self.totals.accepted.is_zero()
    }
}

async fn depths(sources: &Sources) -> Vec<QueueDepth> {
    let mut queues = Vec::with_capacity(QueueName::ALL.len());
    for &name in QueueName::ALL {
        let asked = tokio::time::timeout(DEPTH_DEADLINE, sources.queue.depth(name)).await;
        let depth = asked.ok().and_then(Result::ok);
        queues.push(QueueDepth { name, depth });
        if depth.is_none() {
            // One that is away does not get asked four times.
            let rest = QueueName::ALL.iter().skip(queues.len());
            queues.extend(rest.map(|&name| QueueDepth { name, depth: None }));
            break;
        }
    }
    queues
}
