//! `hookyard`: everything in one process, and the command line.

use std::process::ExitCode;

use clap::Parser;
use hookyard::cli::Cli;
use platform::supervisor::run_program;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run_program(async {
        Cli::parse().run().await.unwrap_or_else(|error| {
            eprintln!("hookyard: {error:#}");
            ExitCode::FAILURE
        })
    })
}
