//! What every handler of the dashboard shares. Holds no rules.

use std::sync::Arc;

use platform::{clock::Clock, context::Context, database::Database, queue::Queue, telemetry::Telemetry};
use url::Url;

use crate::{
    assets::Assets,
    live::Live,
    security::{attempts::LoginAttempts, origin::OriginPolicy, session::Sessions},
};

/// Where everything on a page is read from.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The database; only its reader is used.
    pub(crate) database: Database,
    /// The queue, for depths.
    pub(crate) queue: Queue,
    /// The time.
    pub(crate) clock: Clock,
}

/// The settings that pages show or obey.
pub(crate) struct Settings {
    /// Under which names the pages are shown.
    pub(crate) names: OriginPolicy,
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
    /// Who tried to log in too often.
    pub(crate) login_attempts: Arc<LoginAttempts>,
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
                names: OriginPolicy::of(config),
                public_url: config.public_url.clone(),
                attempts: config.retry_schedule.attempts(),
                metrics_public: config.metrics_public,
            }),
            telemetry: context.telemetry.clone(),
            assets: Arc::new(Assets::load()),
            sessions: Arc::new(Sessions::new(config, &context.keys)),
            login_attempts: Arc::new(LoginAttempts::default()),
            live: Live::new(),
        }
    }
}
