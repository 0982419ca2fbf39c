//! A warmed-up cluster with a receiver and endpoints, which most scenarios start from, and the shared way to measure a rate.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::HeaderMap;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    cluster::{Cluster, ClusterOptions, Shape},
    ledger::Ledger,
    load::{Closed, EVENT_TYPE, Loaded, PostRequest, bare_limit},
    measure::{Cost, Meter},
    receiver::Receiver,
    report::Report,
};

/// Connections of a closed loop. Of 256 nearly all were waiting for their answers on two cores; of 512 some are held back by
/// the bound below, so it is not their number that limits the rate.
pub(crate) const CONNECTIONS: usize = 512;
/// Most deliveries requested and not arrived: half of the queue's window.
const UNDER_WAY: u64 = 2_048;
const WARM_UP: Duration = Duration::from_secs(2);
const BARE: Duration = Duration::from_secs(2);
/// Concurrent sends of the bare limit.
const BARE_AT_ONCE: usize = 64;
/// Longest wait for the last arrival and its record after load has ended.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The system under test, ready to be measured.
pub(crate) struct Setup {
    pub(crate) cluster: Cluster,
    pub(crate) receiver: Receiver,
    pub(crate) endpoints: Vec<Uuid>,
    /// Records the arrivals of labelled requests, if it was opened with a ledger.
    pub(crate) ledger: Arc<Ledger>,
}

/// The bounds of a closed loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most deliveries requested and not arrived.
    pub(crate) under_way: u64,
    /// Events after which it ends early.
    pub(crate) most: u64,
    pub(crate) length: Duration,
}

/// The results of a closed loop.
#[derive(Debug)]
pub(crate) struct Rate {
    pub(crate) loaded: Loaded,
    pub(crate) accepted_per_s: f64,
    /// From the first request until the last success was recorded.
    pub(crate) delivered_per_s: f64,
    pub(crate) delivered: u64,
    /// Calls that arrived while load ran, by the time that it ran.
    pub(crate) arriving_per_s: f64,
    /// From the end of load until the last success was recorded.
    pub(crate) tail: Duration,
    pub(crate) costs: Vec<Cost>,
}

impl Setup {
    /// Starts programs, a receiver and this many endpoints for one event type, and warms them up.
    pub(crate) async fn open(shape: Shape, options: &ClusterOptions, endpoints: usize) -> Result<Self> {
        let this = Self::cold(shape, options, endpoints, Receiver::start().await?).await?;
        this.saturate(WARM_UP).await?;
        Ok(this)
    }

    /// Starts the same with a ledger of arrivals and without a warm-up.
    pub(crate) async fn with_ledger(
        shape: Shape,
        options: &ClusterOptions,
        endpoints: usize,
    ) -> Result<Self> {
        let ledger = Arc::new(Ledger::new());
        let arrived = Arc::clone(&ledger);
        let receiver = Receiver::watched(move |_: &HeaderMap, body: &Bytes| arrived.arrived(body)).await?;
        Ok(Self { ledger, ..Self::cold(shape, options, endpoints, receiver).await? })
    }

    async fn cold(
        shape: Shape,
        options: &ClusterOptions,
        endpoints: usize,
        receiver: Receiver,
    ) -> Result<Self> {
        let (cluster, ledger) = (Cluster::start(shape, options).await?, Arc::new(Ledger::new()));
        let mut this = Self { cluster, receiver, endpoints: vec![], ledger };
        this.cluster.api().make_event_type(EVENT_TYPE).await?;
        for number in 0..endpoints {
            let url = this.receiver.url(&format!("/endpoint/{number}"));
            this.endpoints.push(this.cluster.api().make_endpoint(&url, EVENT_TYPE).await?);
        }
        Ok(this)
    }

    /// Publishes single events, as many as can be delivered.
    pub(crate) async fn saturate(&self, length: Duration) -> Result<Rate> {
        self.closed_loop(
            PostRequest::event(),
            CONNECTIONS,
            Bounds { under_way: UNDER_WAY, most: u64::MAX, length },
        )
        .await
    }

    /// Sends a request in a closed loop, and waits until everything accepted is recorded.
    pub(crate) async fn closed_loop(
        &self,
        request: PostRequest,
        connections: usize,
        bounds: Bounds,
    ) -> Result<Rate> {
        let deliveries = self.endpoints.len().max(1) as u64;
        let before = self.cluster.store().succeeded().await;
        let arrived_before = self.receiver.count();
        let (meter, begun) = (Meter::start(&self.cluster), Instant::now());
        let address = self.cluster.address();
        let Bounds { under_way, most, length } = bounds;
        let closed = Closed { address, request, connections, deliveries, under_way, most, length };
        let loaded = closed.run(&self.receiver).await?;
        let (loaded_at, arrived) = (Instant::now(), self.receiver.count() - arrived_before);
        let delivered = loaded.accepted * deliveries;
        if let Err(error) = self.settle(arrived_before + delivered).await {
            return Err(self.explain(error, &loaded).await);
        }
        let (took, tail) = (begun.elapsed().as_secs_f64(), loaded_at.elapsed());
        let costs = meter.costs(&self.cluster);
        let recorded = self.cluster.store().succeeded().await - before;
        ensure!(
            recorded >= delivered,
            "{delivered} deliveries were accepted, {recorded} are recorded as succeeded"
        );
        ensure!(loaded.accepted > 0, "nothing was accepted, {} were refused", loaded.refused);
        Ok(Rate {
            accepted_per_s: loaded.accepted as f64 / loaded.took.as_secs_f64(),
            delivered_per_s: delivered as f64 / took,
            arriving_per_s: arrived as f64 / loaded.took.as_secs_f64(),
            tail,
            delivered,
            costs,
            loaded,
        })
    }

    /// Adds to an error what was measured before it and what the database is doing.
    async fn explain(&self, error: anyhow::Error, loaded: &Loaded) -> anyhow::Error {
        let Loaded { accepted, refused, took, .. } = loaded;
        let activity = self.cluster.activity().await.join("\n    ");
        error.context(format!(
            "after {accepted} accepted and {refused} refused in {:.1} s; the database:\n    {activity}\n ",
            took.as_secs_f64()
        ))
    }

    /// Waits until this many calls have arrived and nothing is left to record.
    async fn settle(&self, calls: u64) -> Result<()> {
        let end = Instant::now() + SETTLE_WITHIN;
        while self.receiver.count() < calls {
            let arrived = self.receiver.count();
            ensure!(Instant::now() < end, "{arrived} of {calls} calls arrived within {SETTLE_WITHIN:?}");
            sleep(LOOK_EVERY).await;
        }
        self.cluster.store().wait_until_recorded(SETTLE_WITHIN).await
    }

    /// Measures what this machine could deliver if nothing had to be stored.
    pub(crate) async fn bare(&self) -> Result<f64> {
        self.bare_with(BARE_AT_ONCE).await
    }

    /// Measures the same with this many concurrent sends.
    pub(crate) async fn bare_with(&self, at_once: usize) -> Result<f64> {
        bare_limit(&self.receiver, BARE, at_once).await
    }
}

impl Rate {
    /// Puts the usual figures into a report.
    pub(crate) fn add_to(&self, report: &mut Report) {
        let cpu: f64 = self.costs.iter().filter(|cost| cost.part != "bench").map(|cost| cost.cpu_s).sum();
        report
            .figure("accepted_per_s", self.accepted_per_s)
            .figure("delivered_per_s", self.delivered_per_s)
            .figure("arriving_per_s", self.arriving_per_s)
            .figure("tail_s", self.tail.as_secs_f64())
            .figure("refused", self.loaded.refused as f64)
            .figure("accept_p50_ms", self.loaded.latencies.quantile_ms(0.5))
            .figure("accept_p99_ms", self.loaded.latencies.quantile_ms(0.99))
            .figure("cpu_s_per_1000", cpu * 1_000.0 / self.delivered as f64);
        for cost in &self.costs {
            let name = format!("{}_cpu_s_per_1000", cost.part);
            report.figure(name, cost.cpu_s * 1_000.0 / self.delivered as f64);
        }
        report.costs.clone_from(&self.costs);
    }
}
