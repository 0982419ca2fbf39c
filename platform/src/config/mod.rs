//! The settings of a process: read once, checked together, then plain data. Nothing else in the house reads the
//! environment, and no error or notice shows a secret.

mod errors;
mod first_start;
mod networks;
mod read;
mod roles;
mod secrets;
mod settings;
#[cfg(test)]
mod tests;
mod urls;
mod values;
mod words;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::{delivery::RetrySchedule, job::QueueName, notification::PushServices};
use ipnet::IpNet;
use url::Url;

pub use crate::database::DatabaseUrl;
pub use errors::{ConfigErrors, EXIT_CODE, Problem};
pub use settings::{SECTIONS, Section, SettingDoc, UsedBy, settings};
pub use values::{
    CorsOrigins, LogFormat, RedisUrl, Role, Secret, SecretKey, TelegramSettings, VapidSettings,
};

/// Every setting, parsed. Made by [`Config::load`].
#[derive(Clone, Debug)]
pub struct Config {
    /// What this process is.
    pub role: Role,
    /// Directory of everything that is kept outside the database.
    pub data_dir: PathBuf,
    /// The one database.
    pub database_url: DatabaseUrl,
    /// The queue between processes; without it the queue is in memory.
    pub redis_url: Option<RedisUrl>,
    /// Where the API listens; at least one.
    pub api_addrs: Vec<SocketAddr>,
    /// Where the dashboard listens.
    pub dashboard_addr: SocketAddr,
    /// How clients reach the API; [`Config::public_link`] makes links of it.
    pub public_url: Url,
    /// Verifies signed ingest. Always there for the all-in-one process and the API.
    pub webhook_secret: Option<Secret>,
    /// Derives every key: [`crate::keys::Keys::new`].
    pub secret_key: SecretKey,
    /// The first administrator's key, at least 16 characters.
    pub admin_api_key: Option<Secret>,
    /// Whether a public address without a key was asked for.
    pub allow_unauthenticated: bool,
    /// Private networks that deliveries may go to.
    pub allow_networks: Vec<IpNet>,
    /// Directory of uploaded files.
    pub storage_dir: PathBuf,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// How long a signed download link lives.
    pub download_link_ttl: Duration,
    /// A valid filter of `tracing`.
    pub log_level: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The waits between attempts where an endpoint has none of its own.
    pub retry_schedule: RetrySchedule,
    /// Longest attempt where an endpoint says nothing else: 1–60 s.
    pub delivery_timeout: Duration,
    /// Longest wait for work under way at a stop.
    pub shutdown_timeout: Duration,
    /// The queues that this worker takes from; at least one.
    pub worker_queues: Vec<QueueName>,
    /// Most sends under way in one process.
    pub send_slots: usize,
    /// Most deliveries that are due and held for one endpoint that is paused or disabled.
    pub held_limit: i64,
    /// Whether `/metrics` answers without a key.
    pub metrics_public: bool,
    /// Who may read answers from a browser.
    pub cors_origins: CorsOrigins,
    /// The VAPID keys, when web push is set.
    pub vapid: Option<VapidSettings>,
    /// The push services at which browsers may subscribe.
    pub push_services: PushServices,
    /// New push subscriptions that one address may make at once, and as many again over a day.
    pub push_subscriptions_per_day: u32,
    /// The bot, when Telegram is set.
    pub telegram: Option<TelegramSettings>,
    /// How long finished deliveries and events are kept.
    pub retention: Duration,
    /// Where traces go, when set.
    pub otlp_endpoint: Option<Url>,
    /// Sentences for the log at start: what was made, what is risky, what is ignored.
    pub notices: Vec<String>,
}

impl Config {
    /// Reads every setting by `read`, completes the secrets that the all-in-one process makes at its first start (in
    /// its data directory, mode 0600), and returns sentences for the log in [`Config::notices`].
    ///
    /// # Errors
    /// With every setting that is wrong, all at once.
    pub fn load(role: Role, read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let (mut config, made) = roles::parse(role, &read)?;
        first_start::keep(&mut config, made)?;
        Ok(config)
    }

    /// A link to a path of the API, which begins with `/`, as clients reach it.
    #[must_use]
    pub fn public_link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// The process' own environment, for the mains to pass to [`Config::load`]: the only place that reads it.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
