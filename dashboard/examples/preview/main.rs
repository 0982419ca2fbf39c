//! The dashboard over a throw-away database full of plausible rows, with new ones coming in: for work on its looks.
//!
//! ```text
//! cargo run -p dashboard --example preview            # http://127.0.0.1:5556, seeded and busy
//! cargo run -p dashboard --example preview -- empty   # what a newcomer sees
//! cargo run -p dashboard --example preview -- locked  # behind the login; the key is `preview-preview-preview`
//! cargo run -p dashboard --example preview -- still   # seeded, but nothing new comes in (for pictures)
//! ```
//! The last argument may be a port, `0` for any.

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../../tests/harness/rows.rs"]
mod rows;
mod seed;

use std::{net::TcpListener, time::Duration};

use migration::Migrator;
use platform::{
    config::{Config, Role},
    context::Context,
    supervisor::Supervisor,
    telemetry::Telemetry,
};
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;

const KEY: &str = "preview-preview-preview";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let port = arguments.last().and_then(|port| port.parse().ok()).unwrap_or(5556);
    let folder = tempfile::tempdir()?;
    let data_dir = folder.path().to_string_lossy().into_owned();
    let config = Config::load(Role::AllInOne, |name| match name {
        "DATA_DIR" => Some(data_dir.clone()),
        "ADMIN_API_KEY" => has("locked").then(|| KEY.to_owned()),
        _ => None,
    })?;
    let context = Context::connect(config, Telemetry::for_tests()).await?;
    Migrator::up(context.database.writer(), None).await?;
    if !has("empty") {
        seed::plant(&context).await?;
    }
    if !has("empty") && !has("still") {
        tokio::spawn(seed::keep_growing(context.clone()));
    }
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("http://{}", listener.local_addr()?);
    let services = dashboard::services_on(&context, listener);
    Supervisor::run(services, CancellationToken::new(), Duration::from_secs(5)).await?;
    Ok(())
}
