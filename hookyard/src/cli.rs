//! The command line: one subcommand, one module.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    demo, doctor, keys, listen,
    migrate::{self, Direction},
    serve,
};

/// A self-hosted webhook delivery service.
///
/// Without a command it serves. Settings come from the environment: see `.env.example`.
#[derive(Debug, Parser)]
#[command(name = "hookyard", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// API, worker and dashboard in one process (the default)
    Serve,
    /// Run a demonstration on free ports and in a temporary directory, in a few seconds
    Demo {
        /// Keep everything running until Ctrl-C
        #[arg(long)]
        keep: bool,
    },
    /// Receive webhooks on this machine: print each call and check its signature
    Listen(Box<listen::Options>),
    /// Apply the migrations of the database, revert the last one, or show their status
    Migrate {
        /// The action
        #[arg(value_enum)]
        direction: Direction,
    },
    /// Check for invariant violations: exit code 0 when there are none, 1 otherwise
    Doctor {
        /// Repair what can be repaired, as a worker does every ten minutes
        #[arg(long)]
        mend: bool,
    },
    /// Generate keys and print them as settings
    Keys {
        /// The kind of keys
        #[command(subcommand)]
        kind: keys::Kind,
    },
}

impl Cli {
    /// Runs the command and returns the exit code of the process: 2 for wrong settings.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command.unwrap_or(Command::Serve) {
            Command::Serve => Ok(serve::serve().await),
            Command::Demo { keep } => demo::command(keep).await,
            Command::Listen(options) => listen::command(*options).await,
            Command::Migrate { direction } => migrate::command(direction).await,
            Command::Doctor { mend } => doctor::command(mend).await,
            Command::Keys { kind } => {
                keys::command(kind);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
