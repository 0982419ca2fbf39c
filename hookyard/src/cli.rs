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
    /// Show the whole path on free ports and a temporary directory, in a few seconds
    Demo {
        /// Leave everything running until Ctrl-C
        #[arg(long)]
        keep: bool,
    },
    /// Receive webhooks on this machine: print each call and check its signature
    Listen(Box<listen::Options>),
    /// Bring the database's schema up, down by one step, or show where it stands
    Migrate {
        /// What to do
        #[arg(value_enum)]
        direction: Direction,
    },
    /// Look for what must not be: exit code 0 when all is well, 1 when not
    Doctor {
        /// Mend what can be mended, as a worker does every ten minutes
        #[arg(long)]
        mend: bool,
    },
    /// Make fresh keys and print them as settings
    Keys {
        /// What to make
        #[command(subcommand)]
        kind: keys::Kind,
    },
}

impl Cli {
    /// Runs the command and gives the process's exit code: 2 for wrong settings.
    ///
    /// # Errors
    /// What ended the command.
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
