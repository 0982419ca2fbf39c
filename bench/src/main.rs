//! `bench`: load, latency, fairness and chaos runs against the real programs, beside the bare limit of the machine.
//! Not shipped. Each run starts its own servers and processes and stops them, also on Ctrl-C.

mod chaos;
mod cli;
mod cluster;
mod external;
mod ledger;
mod load;
mod measure;
mod receiver;
mod report;
mod scenarios;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use cli::Cli;

// As in the programs under test: the bare limit is measured with the same allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a run that a signal ended, as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be awaited");
    // Dropping the run ends whatever it started.
    let ended = tokio::select! {
        ended = cli::run(&cli) => ended,
        _ = tokio::signal::ctrl_c() => return ExitCode::from(INTERRUPTED),
        _ = terminate.recv() => return ExitCode::from(INTERRUPTED),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("bench: {error:#}");
        ExitCode::FAILURE
    })
}
