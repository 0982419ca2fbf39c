//! An API and workers on Postgres and Redis: a database of the drill's own, a Redis server of its own.

use std::time::Duration;

use tempfile::TempDir;
use testkit::{
    database::Throwaway,
    http::Client,
    process::{Launch, Running},
    rows::Rows,
    servers::{OwnPostgres, OwnRedis, free_port},
    wait::until,
};

use crate::{one_machine::READY_WITHIN, programs};

/// The deadline of a send in these drills.
pub(crate) const SEND_DEADLINE: Duration = Duration::from_secs(2);
/// 32 bytes in base64.
pub(crate) const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Where the database is.
enum Store {
    Shared(Throwaway),
    Own(OwnPostgres),
}

pub(crate) struct Cluster {
    folder: TempDir,
    store: Store,
    pub(crate) redis: OwnRedis,
    api: u16,
}

impl Cluster {
    /// On a database of the tests' Postgres.
    pub(crate) async fn new() -> Self {
        let database = Throwaway::postgres().await.expect("the tests' Postgres");
        Self::on(Store::Shared(database)).await
    }

    /// On a Postgres server of its own, migrated by the command line.
    pub(crate) async fn with_own_postgres() -> Self {
        let this = Self::on(Store::Own(OwnPostgres::start().await)).await;
        let migrated =
            this.launch("hookyard", "migrate").argument("migrate").argument("up").run(READY_WITHIN).await;
        assert_eq!(migrated.code, Some(0), "{}", migrated.output);
        this
    }

    async fn on(store: Store) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, store, redis: OwnRedis::start().await, api: free_port() }
    }

    pub(crate) fn database_url(&self) -> String {
        match &self.store {
            Store::Shared(database) => database.url.clone(),
            Store::Own(server) => server.url(),
        }
    }

    /// The server, where it is the drill's own.
    pub(crate) fn postgres(&mut self) -> &mut OwnPostgres {
        match &mut self.store {
            Store::Own(server) => server,
            Store::Shared(_) => panic!("this drill shares its Postgres"),
        }
    }

    pub(crate) fn rows(&self) -> Rows {
        Rows::Postgres(self.database_url())
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.api))
    }

    /// A program with every setting that it needs; its log has this name.
    pub(crate) fn launch(&self, program: &str, name: &str) -> Launch {
        let path = if program == "hookyard" { programs::hookyard() } else { programs::other(program) };
        Launch::new(&path, self.folder.path(), name)
            .set("DATA_DIR", self.folder.path().join("data").display())
            .set("DATABASE_URL", self.database_url())
            .set("REDIS_URL", self.redis.url())
            .set("SECRET_KEY", SECRET_KEY)
            .set("WEBHOOK_SECRET", "a secret of the drills, long enough")
            .set("ALLOW_NETWORKS", "127.0.0.0/8")
            .set("API_ADDR", format!("127.0.0.1:{}", self.api))
            .set("DASHBOARD_ADDR", format!("127.0.0.1:{}", free_port()))
            .set("DELIVERY_TIMEOUT", format!("{}s", SEND_DEADLINE.as_secs()))
    }

    /// An API that is ready.
    pub(crate) async fn start_api(&self) -> Running {
        let mut api = self.launch("hookyard-api", "api").start();
        let client = self.client();
        until("the API is ready", READY_WITHIN, async || {
            assert!(api.ended().is_none(), "the API ended at once");
            client.is_ready().await.then_some(())
        })
        .await;
        api
    }

    /// A worker that has shown its first heartbeat.
    pub(crate) async fn start_worker(&self, name: &str) -> Running {
        self.start_worker_as(&self.launch("hookyard-worker", name)).await
    }

    pub(crate) async fn start_worker_as(&self, launch: &Launch) -> Running {
        let mut worker = launch.start();
        let beats = format!("SELECT count(*) FROM process WHERE name LIKE '%:{}'", worker.id());
        let rows = self.rows();
        until("the worker's heartbeat", READY_WITHIN, async || {
            assert!(worker.ended().is_none(), "the worker ended at once");
            (rows.number(&beats).await > 0).then_some(())
        })
        .await;
        worker
    }
}
