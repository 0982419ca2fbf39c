//! `hookyard`: everything in one process, and the command line.

use std::process::ExitCode;

use clap::Parser;
use hookyard::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().run().await.unwrap_or_else(|error| {
        eprintln!("hookyard: {error:#}");
        ExitCode::FAILURE
    })
}
