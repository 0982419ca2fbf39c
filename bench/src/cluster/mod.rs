//! The system under test: the real programs as processes, with their own servers, on free loopback ports.
//! Everything ends with the cluster. Independent of load.

mod activity;
mod api;
mod disk;
mod processes;
pub(crate) mod programs;
mod shape;
mod store;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use platform::keys::Keys;
use tempfile::TempDir;
use testkit::{
    process::{Launch, Running},
    servers::{Care, OwnPostgres, OwnRedis, free_port},
};

pub(crate) use api::{Api, USER};
pub(crate) use disk::SmallDisk;
pub(crate) use processes::Program;
pub(crate) use shape::Shape;
pub(crate) use store::Store;

/// Longest wait for a program to migrate, to be ready, or to stop.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// 32 bytes in base64, which the programs derive their keys from.
const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET_KEY_BYTES: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31,
];

/// What senders of messages sign with.
pub(crate) const INGEST_SECRET: &str = "a secret of the bench, long enough";

/// Options of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct ClusterOptions {
    /// Worker processes; one machine has none beside its one process.
    pub(crate) workers: usize,
    /// Additional settings.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Whether files lie on a disk of their own that can be filled, where this machine lets us have one.
    pub(crate) small_disk: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { workers: 1, settings: vec![], small_disk: false }
    }
}

/// The running programs and servers, in the order in which they are stopped.
pub(crate) struct Cluster {
    pub(crate) shape: Shape,
    /// The API, or the one process that is everything.
    api: Option<Running>,
    workers: Vec<Option<Running>>,
    pub(crate) redis: Option<OwnRedis>,
    pub(crate) postgres: Option<OwnPostgres>,
    pub(crate) disk: Option<SmallDisk>,
    port: u16,
    dashboards: Vec<u16>,
    settings: BTreeMap<&'static str, String>,
    folder: TempDir,
}

impl Cluster {
    /// Starts servers and programs; returns when they are ready.
    pub(crate) async fn start(shape: Shape, options: &ClusterOptions) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("hookyard-bench-").tempdir()?;
        let disk = if options.small_disk { SmallDisk::mount(&folder.path().join("data")) } else { None };
        let is_cluster = shape == Shape::Cluster;
        let postgres = if is_cluster { Some(OwnPostgres::start_with(Care::Durable).await) } else { None };
        let redis = if is_cluster { Some(OwnRedis::start().await) } else { None };
        let workers = if is_cluster { options.workers } else { 0 };
        let mut this = Self {
            shape,
            api: None,
            workers: (0..workers).map(|_| None).collect(),
            redis,
            postgres,
            disk,
            port: free_port(),
            dashboards: (0..=workers).map(|_| free_port()).collect(),
            settings: options.settings.iter().cloned().collect(),
            folder,
        };
        this.migrate().await?;
        this.start_programs().await?;
        Ok(this)
    }

    /// `host:port` of the API.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A client for what is set up before load.
    pub(crate) fn api(&self) -> Api {
        Api::new(&self.address())
    }

    /// The database beside the programs.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.database_url())
    }

    /// The keys that the programs seal secrets with.
    pub(crate) fn keys(&self) -> Keys {
        Keys::new(&SECRET_KEY_BYTES)
    }

    /// Where uploads and, on one machine, the database lie.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database_url(&self) -> String {
        self.postgres
            .as_ref()
            .map_or_else(|| format!("sqlite:///{}", self.data().join("app.db").display()), OwnPostgres::url)
    }

    /// Migrates the database; the all-in-one process does so itself.
    async fn migrate(&self) -> Result<()> {
        if self.shape == Shape::Embedded {
            return Ok(());
        }
        let migrate = self.launch("hookyard", "migrate").argument("migrate").argument("up");
        let ended = migrate.run(READY_WITHIN).await;
        ensure!(ended.code == Some(0), "the database was not migrated: {}", ended.output);
        Ok(())
    }

    /// A program with every setting that it needs; its log has this name.
    pub(crate) fn launch(&self, program: &str, name: &str) -> Launch {
        let launch = Launch::new(&programs::path(program), self.folder.path(), name)
            .set("DATA_DIR", self.data().display())
            .set("API_ADDR", self.address())
            .set("ALLOW_NETWORKS", "127.0.0.0/8")
            .set("SECRET_KEY", SECRET_KEY)
            .set("WEBHOOK_SECRET", INGEST_SECRET)
            .set("DATABASE_URL", self.database_url())
            .set("LOG_FORMAT", "json");
        let launch = match &self.redis {
            Some(redis) => launch.set("REDIS_URL", redis.url()),
            None => launch,
        };
        self.settings.iter().fold(launch, |launch, (name, value)| launch.set(name, value))
    }
}
