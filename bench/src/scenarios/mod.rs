//! The scenarios, one module each. A scenario measures what its name says, says so when it can't, and never runs on beyond
//! its bound.

mod backlog;
mod batch;
mod broadcast;
mod connections;
mod fanout;
mod give_up;
mod idle;
mod ingest;
mod labelled;
mod latency;
mod neighbours;
mod plan;
mod quiet;
mod scale;
mod search;
mod setup;
mod soak;
mod tenants;
mod throughput;
mod upload;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::{chaos, cluster::Shape, report::Report};

pub(crate) use labelled::{add_refusals, add_sums, wait_for_arrivals};
pub(crate) use plan::Plan;
pub(crate) use setup::Setup;

/// What can be run, in the order of `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Every scenario below but tenants, external and chaos, one after the other
    All,
    /// One event to one endpoint, closed loop: from accept to recorded success
    Throughput,
    /// Open loop at half of the throughput: from accept to arrival
    Latency,
    /// 100 events a second on an idle machine: latencies and costs of ordinary load
    Quiet,
    /// One event to ten endpoints
    Fanout,
    /// Publishing a thousand events at a time
    Batch,
    /// Signed messages, closed loop
    Ingest,
    /// A file of 1 GiB
    Upload,
    /// One notification to 100,000 browsers
    Broadcast,
    /// Lists and statistics of 1,000,000 messages
    Search,
    /// A hundred healthy endpoints beside one that hangs
    Neighbours,
    /// Throughput with many due and many old rows in the database
    Backlog,
    /// Nothing to do
    Idle,
    /// Steady load at 70 %: whether sizes level off
    Soak,
    /// One, two and four workers with few send slots and a slow receiver
    Scale,
    /// 100 to 100,000 users with an endpoint each, and one user's large batch beside another's events
    Tenants,
    /// Another platform on this machine, under the same load and receiver
    External,
    /// Faults under load, and a ledger of what was accepted
    Chaos,
}

const EACH: [Scenario; 14] = [
    Scenario::Idle,
    Scenario::Quiet,
    Scenario::Throughput,
    Scenario::Latency,
    Scenario::Fanout,
    Scenario::Batch,
    Scenario::Ingest,
    Scenario::Upload,
    Scenario::Broadcast,
    Scenario::Search,
    Scenario::Neighbours,
    Scenario::Scale,
    Scenario::Backlog,
    Scenario::Soak,
];

impl Scenario {
    /// As the command line has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::Quiet => "quiet",
            Self::Fanout => "fanout",
            Self::Batch => "batch",
            Self::Ingest => "ingest",
            Self::Upload => "upload",
            Self::Broadcast => "broadcast",
            Self::Search => "search",
            Self::Neighbours => "neighbours",
            Self::Backlog => "backlog",
            Self::Idle => "idle",
            Self::Soak => "soak",
            Self::Scale => "scale",
            Self::Tenants => "tenants",
            Self::External => "external",
            Self::Chaos => "chaos",
        }
    }

    /// What it consists of.
    pub(crate) fn parts(self) -> Vec<Self> {
        if self == Self::All { EACH.to_vec() } else { vec![self] }
    }

    /// Whether it has a meaning there: one process can't be scaled.
    pub(crate) fn runs_on(self, shape: Shape) -> bool {
        self != Self::Scale || shape == Shape::Cluster
    }

    /// The longest that it may take.
    pub(crate) fn bound(self, plan: &Plan) -> Duration {
        match (self, plan.full) {
            (Self::Chaos, _) => chaos::faults_for(plan) + chaos::AFTERWARDS,
            (Self::Backlog | Self::Soak | Self::Broadcast, true) => Duration::from_secs(3_600),
            (
                Self::Backlog | Self::Soak | Self::Scale | Self::Broadcast | Self::Search | Self::Tenants,
                _,
            ) => Duration::from_secs(300),
            _ => Duration::from_secs(180) + plan.length.unwrap_or_default(),
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, shape: Shape, plan: &Plan) -> Result<Report> {
        match self {
            Self::All => unreachable!("it consists of parts"),
            Self::External => unreachable!("it has no shape"),
            Self::Throughput => match plan.connections {
                Some(connections) => connections::run(shape, plan, connections).await,
                None => throughput::run(shape, plan).await,
            },
            Self::Latency => latency::run(shape, plan).await,
            Self::Quiet => quiet::run(shape, plan).await,
            Self::Fanout => fanout::run(shape, plan).await,
            Self::Batch => batch::run(shape, plan).await,
            Self::Ingest => ingest::run(shape, plan).await,
            Self::Upload => upload::run(shape).await,
            Self::Broadcast => broadcast::run(shape, plan).await,
            Self::Search => search::run(shape, plan).await,
            Self::Neighbours => neighbours::run(shape, plan).await,
            Self::Backlog => backlog::run(shape, plan).await,
            Self::Idle => idle::run(shape).await,
            Self::Tenants => tenants::run(shape, plan).await,
            Self::Soak => soak::run(shape, plan).await,
            Self::Scale => scale::run(plan).await,
            Self::Chaos => chaos::run(shape, plan).await,
        }
    }
}
