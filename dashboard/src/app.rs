//! What every handler of the dashboard shares. Holds no rules.

use std::sync::Arc;

use axum::extract::FromRef;
use platform::{context::Context, telemetry::Telemetry};
use url::Url;
use web::{
    health::Health,
    middleware::{OriginPolicy, Rate, RateLimit},
};

use crate::{assets::Assets, live::Live, security::session::Sessions, sources::Sources};

/// The settings that pages show or obey.
pub(crate) struct Settings {
    /// Under which hosts the pages are shown, and which pages may write.
    pub(crate) origins: OriginPolicy,
    /// How clients reach the API, for the examples.
    pub(crate) public_url: Url,
    /// How many attempts the default schedule makes.
    pub(crate) attempts: usize,
    /// Whether `/metrics` answers without a key.
    pub(crate) metrics_public: bool,
}

/// The shared state of the pages; clones are cheap.
#[derive(Clone)]
pub(crate) struct App {
    /// Where pages read from.
    pub(crate) sources: Sources,
    /// The settings.
    pub(crate) settings: Arc<Settings>,
    /// What `/metrics` shows.
    pub(crate) telemetry: Telemetry,
    /// Scripts and styles.
    pub(crate) assets: Arc<Assets>,
    /// Who may see the pages.
    pub(crate) sessions: Arc<Sessions>,
    /// The wrong keys of each address at the login.
    pub(crate) wrong_keys: Arc<RateLimit>,
    /// The live overview.
    pub(crate) live: Live,
}

impl App {
    /// What `context` says, with nothing read yet.
    pub(crate) fn new(context: &Context) -> Self {
        let config = &context.config;
        Self {
            sources: Sources {
                database: context.database.clone(),
                queue: context.queue.clone(),
                clock: context.clock.clone(),
            },
            settings: Arc::new(Settings {
                origins: OriginPolicy::for_pages(config, config.dashboard_addr),
                public_url: config.public_url.clone(),
                attempts: config.retry_schedule.attempts(),
                metrics_public: config.metrics_public,
            }),
            telemetry: context.telemetry.clone(),
            assets: Arc::new(Assets::load()),
            sessions: Arc::new(Sessions::new(config, &context.keys)),
            wrong_keys: Arc::new(RateLimit::new(Rate::WRONG_KEYS, &context.clock)),
            live: Live::new(),
        }
    }
}

impl FromRef<App> for Health {
    fn from_ref(app: &App) -> Self {
        Self { database: app.sources.database.clone(), stopping: app.live.closing().clone() }
    }
}
