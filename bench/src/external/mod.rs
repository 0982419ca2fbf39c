//! Any other platform under the same client and receiver, so that its figures can be compared with Hookyard's. Drives only
//! what listens on loopback.

mod target;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use clap::Args;
use http::HeaderMap;
use tokio::time::sleep;

use self::target::Target;
use crate::{
    ledger::Ledger,
    load::{Labelled, MakeRequest, Pace, bare_limit},
    measure::cpu_of_trees,
    receiver::Receiver,
    report::Report,
    scenarios::{add_sums, wait_for_arrivals},
};

/// Pause between two probes.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the first probe to arrive: someone registers the receiver meanwhile.
const REGISTERED_WITHIN: Duration = Duration::from_secs(300);
/// What a first arrival leaves to do is done by then.
const CALM: Duration = Duration::from_secs(2);
const BARE: Duration = Duration::from_secs(2);
const USUAL: Duration = Duration::from_secs(10);
/// Longest wait for what was accepted to arrive after the load; what has not by then counts as lost.
const ARRIVE_WITHIN: Duration = Duration::from_secs(120);
const USUAL_CONNECTIONS: u16 = 64;

/// What is driven, and how. Used by `external` alone.
#[derive(Args, Clone, Debug)]
pub(crate) struct External {
    /// external: where events are posted; must resolve to loopback
    #[arg(long, required_if_eq("scenario", "external"))]
    url: Option<String>,
    /// external: a header of each request, such as 'Authorization: Bearer …'; may be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// external: the body of each request; @N@ in it becomes a number by which its arrival is found
    #[arg(long, required_if_eq("scenario", "external"))]
    body: Option<String>,
    /// external: events a second at a constant rate, instead of a closed loop with --connections (default 64)
    #[arg(long, conflicts_with = "connections")]
    rate: Option<f64>,
    /// external: port of the receiver that the platform delivers to; a free one by default
    #[arg(long, default_value_t = 0)]
    receiver_port: u16,
    /// external: a process of the platform; CPU time is counted with its descendants; may be repeated
    #[arg(long, value_name = "PID")]
    process: Vec<u32>,
}

impl External {
    /// Drives the platform; the report has what was accepted, delivered and lost.
    ///
    /// # Errors
    /// When the arguments are not valid, the URL is not on loopback, or no probe arrives within five minutes.
    pub(crate) async fn run(&self, connections: Option<u16>, length: Option<Duration>) -> Result<Report> {
        let target = Target::parse(self.url.as_deref(), &self.header, self.body.as_deref()).await?;
        let ledger = Arc::new(Ledger::new());
        let arrived = Arc::clone(&ledger);
        let watch = move |_: &HeaderMap, body: &Bytes| arrived.arrived(body);
        let receiver = Receiver::on_port(self.receiver_port, watch).await?;
        receiver.status(200);
        eprintln!("bench: register {} as the endpoint; a probe is posted every second", receiver.url("/"));
        let connections = usize::from(connections.unwrap_or(USUAL_CONNECTIONS));
        let pace = match self.rate {
            Some(per_second) if per_second > 0.0 => Pace::Open { per_second },
            Some(_) => bail!("--rate must be more than 0"),
            None => Pace::Closed { connections },
        };
        let Target { address, request } = target;
        let make: Arc<MakeRequest> = Arc::new(move |_, label: &str| request.labelled(label));
        let load = Labelled { address, ledger, make, pace, length: length.unwrap_or(USUAL) };
        wait_for_a_probe(&load).await?;
        let bare = bare_limit(&receiver, BARE, connections).await?;
        sleep(CALM).await;
        self.measure(&load, bare).await
    }

    async fn measure(&self, load: &Labelled, bare: f64) -> Result<Report> {
        let mut report = Report::new("external", None);
        load.ledger.begin();
        let (begun, cpu_before) = (Instant::now(), cpu_of_trees(&self.process));
        if let Err(error) = load.run().await {
            report.give_up(format!("{error:#}"), begun.elapsed());
        }
        if let Err(error) = wait_for_arrivals(&load.ledger, ARRIVE_WITHIN).await {
            report.note(format!("{error:#}"));
        }
        let cpu = cpu_of_trees(&self.process) - cpu_before;
        let sums = load.ledger.sums();
        report.lost = Some(sums.missing.len() as u64);
        report.figure("bare_per_s", bare);
        add_sums(&sums, &mut report);
        report.figure("ratio", report.value("delivered_per_s") / bare);
        if !self.process.is_empty() {
            report.figure("cpu_s_per_1000", cpu * 1_000.0 / sums.arrived.max(1) as f64);
        }
        Ok(report)
    }
}

/// Posts a probe every second until one of them arrives.
async fn wait_for_a_probe(load: &Labelled) -> Result<()> {
    let end = Instant::now() + REGISTERED_WITHIN;
    let probe = Labelled { pace: Pace::Open { per_second: 1.0 }, length: Duration::ZERO, ..load.clone() };
    loop {
        probe.run().await?;
        sleep(PROBE_EVERY).await;
        let sums = load.ledger.sums();
        if sums.arrived > 0 {
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "no probe arrived within {REGISTERED_WITHIN:?}: {} accepted, others by status: {:?}",
            sums.accepted,
            sums.refused
        );
    }
}
