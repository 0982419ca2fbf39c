//! Temporary databases: a SQLite file in a temporary folder, or a separate database on the tests' Postgres.

use std::path::Path;

use anyhow::{Context as _, Result};
use platform::database::{Database, DatabaseUrl};
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// The environment variable with the URL of the tests' Postgres.
const POSTGRES: &str = "TEST_DATABASE_URL";
/// The environment variable with the URL of the tests' Redis.
const REDIS: &str = "TEST_REDIS_URL";

/// A database that is removed with the test.
pub struct Throwaway {
    /// Its URL.
    pub url: String,
    postgres: Option<(String, String)>,
}

impl Throwaway {
    /// Creates and migrates a SQLite file in `folder`.
    ///
    /// # Errors
    /// When it can't be created.
    pub async fn sqlite(folder: &Path) -> Result<Self> {
        let path = folder.join("app.db");
        migrate(&DatabaseUrl::Sqlite(path.clone())).await?;
        Ok(Self { url: format!("sqlite:///{}", path.display()), postgres: None })
    }

    /// Creates and migrates a database on the tests' Postgres.
    ///
    /// # Errors
    /// When there is no Postgres: tests fail then instead of being skipped.
    pub async fn postgres() -> Result<Self> {
        let server = required(POSTGRES)?;
        let name = format!("hookyard_test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server).await?;
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        let mut url: url::Url = server.parse().context("TEST_DATABASE_URL is not a URL")?;
        url.set_path(&name);
        let this = Self { url: url.to_string(), postgres: Some((server, name)) };
        migrate(&DatabaseUrl::Postgres(this.url.clone())).await?;
        Ok(this)
    }
}

/// Returns the URL of the tests' Redis.
///
/// # Errors
/// When there is none: tests fail then instead of being skipped.
pub fn redis_url() -> Result<String> {
    required(REDIS)
}

fn required(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run the tests by `make test`"))
}

async fn migrate(url: &DatabaseUrl) -> Result<()> {
    let database = Database::connect(url).await?;
    hookyard::migrate::run(&database, url, hookyard::migrate::Direction::Up).await?;
    database.close().await;
    Ok(())
}

impl Drop for Throwaway {
    /// Drops the database on a separate thread: the test's runtime may be gone by now.
    fn drop(&mut self) {
        let Some((server, name)) = self.postgres.take() else { return };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                connection.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await?;
                anyhow::Ok(())
            })
        });
        // A database that can't be dropped goes with the temporary server.
        drop(thread.join());
    }
}
