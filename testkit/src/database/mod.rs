//! Throw-away databases: a SQLite file in a temporary folder, or a database of its own on the tests' Postgres.

use std::path::Path;

use anyhow::{Context as _, Result};
use platform::database::{Database, DatabaseUrl};
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// What the tests' Postgres is named by.
const POSTGRES: &str = "TEST_DATABASE_URL";
/// What the tests' Redis is named by.
const REDIS: &str = "TEST_REDIS_URL";

/// A database that goes with the test.
pub struct Throwaway {
    /// Where it is.
    pub url: String,
    postgres: Option<(String, String)>,
}

impl Throwaway {
    /// A SQLite file in `folder`, migrated.
    ///
    /// # Errors
    /// When it can't be made.
    pub async fn sqlite(folder: &Path) -> Result<Self> {
        let path = folder.join("app.db");
        migrate(&DatabaseUrl::Sqlite(path.clone())).await?;
        Ok(Self { url: format!("sqlite:///{}", path.display()), postgres: None })
    }

    /// A database on the tests' Postgres, migrated.
    ///
    /// # Errors
    /// When there is no Postgres: the tests then fail, they are not skipped.
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

/// Where the tests' Redis is.
///
/// # Errors
/// When there is none: the tests then fail, they are not skipped.
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
    /// Drops the database from a thread of its own: a test's runtime may be gone by now.
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
        // What is left over goes with the throw-away server.
        drop(thread.join());
    }
}
