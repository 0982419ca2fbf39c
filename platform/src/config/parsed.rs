//! The settings of a process as plain data.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::{delivery::RetrySchedule, job::QueueName, notification::PushServices};
use ipnet::IpNet;
use url::Url;

use super::types::{
    CorsOrigins, LogFormat, RedisUrl, Role, Secret, SecretKey, TelegramSettings, VapidSettings,
};
use crate::database::DatabaseUrl;

/// Every setting, parsed. Created by [`Config::load`].
#[derive(Clone, Debug)]
pub struct Config {
    /// The role of this process.
    pub role: Role,
    /// Directory of everything that is stored outside the database.
    pub data_dir: PathBuf,
    /// The one database.
    pub database_url: DatabaseUrl,
    /// The queue between processes; without it the queue is in memory.
    pub redis_url: Option<RedisUrl>,
    /// The addresses that the API listens on; at least one.
    pub api_addrs: Vec<SocketAddr>,
    /// The address that the dashboard listens on.
    pub dashboard_addr: SocketAddr,
    /// The URL at which clients reach the API; [`Config::public_link`] builds links from it.
    pub public_url: Url,
    /// Verifies signed ingest. Always set for the all-in-one process and the API.
    pub webhook_secret: Option<Secret>,
    /// Derives every key: [`crate::keys::Keys::new`].
    pub secret_key: SecretKey,
    /// The first administrator's key, at least 16 characters.
    pub admin_api_key: Option<Secret>,
    /// Whether the operator allows a public address without a key.
    pub allow_unauthenticated: bool,
    /// Private networks that deliveries may go to.
    pub allow_networks: Vec<IpNet>,
    /// Directory of uploaded files.
    pub storage_dir: PathBuf,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// How long a signed download link is valid.
    pub download_link_ttl: Duration,
    /// A valid filter of `tracing`.
    pub log_level: String,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The waits between attempts for endpoints without a schedule of their own.
    pub retry_schedule: RetrySchedule,
    /// Longest attempt for endpoints without a timeout of their own: 1–60 s.
    pub delivery_timeout: Duration,
    /// Longest wait for work in progress during a shutdown.
    pub shutdown_timeout: Duration,
    /// The queues that this worker takes from; at least one.
    pub worker_queues: Vec<QueueName>,
    /// Most concurrent sends of one process.
    pub send_slots: usize,
    /// Most due deliveries that are held for one paused or disabled endpoint.
    pub held_limit: i64,
    /// Whether `/metrics` answers without a key.
    pub metrics_public: bool,
    /// The browser origins that may read responses.
    pub cors_origins: CorsOrigins,
    /// The VAPID keys, when web push is configured.
    pub vapid: Option<VapidSettings>,
    /// The push services at which browsers may subscribe.
    pub push_services: PushServices,
    /// New push subscriptions that one address may create at once; the allowance refills over a day.
    pub push_subscriptions_per_day: u32,
    /// The bot, when Telegram is configured.
    pub telegram: Option<TelegramSettings>,
    /// How long finished deliveries and events are kept.
    pub retention: Duration,
    /// The OTLP endpoint that receives traces, when set.
    pub otlp_endpoint: Option<Url>,
    /// Sentences for the log at start: what was generated, what is risky, what is ignored.
    pub notices: Vec<String>,
}

impl Config {
    /// Returns the public link to `path` of the API; `path` begins with `/`.
    #[must_use]
    pub fn public_link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}
