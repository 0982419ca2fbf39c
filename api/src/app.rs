//! What every handler may use, made once a process. Holds no logic.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use channels::guard::Guard;
use domain::signature::IngestKey;
use platform::{config::Secret, context::Context};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use web::{
    auth::Authenticator,
    health::Health,
    middleware::{Cors, LoadShed, OriginPolicy, PerAddress},
};

pub use crate::limits::Limits;

use crate::{
    accept::Accept,
    limits::{BYTES_PER_PERMIT, WAITING},
    middleware::{RateLimits, is_for_pages},
    routes::push_subscriptions::Unreached,
};

/// The state of the router; clones share everything.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    pub(crate) context: Context,
    pub(crate) accept: Accept,
    pub(crate) guard: Guard,
    pub(crate) authenticator: Authenticator,
    pub(crate) origins: OriginPolicy,
    pub(crate) cors: Cors,
    pub(crate) load_shed: LoadShed,
    pub(crate) rate_limits: RateLimits,
    pub(crate) unreached: Unreached,
    pub(crate) limits: Limits,
    pub(crate) uploading: Semaphore,
    pub(crate) publishing: Semaphore,
    pub(crate) searching: Arc<Semaphore>,
    pub(crate) waiting: Semaphore,
    pub(crate) large_messages: Semaphore,
    pub(crate) large_messages_of: PerAddress,
    /// None in a process that takes no messages.
    pub(crate) ingest_key: Option<IngestKey>,
    pub(crate) stopping: CancellationToken,
}

impl App {
    /// An API over `context` that stores what it takes by `accept`.
    #[must_use]
    pub fn new(context: &Context, accept: Accept) -> Self {
        Self::with_limits(context, accept, Limits::default())
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_limits(context: &Context, accept: Accept, limits: Limits) -> Self {
        Self(Arc::new(Parts {
            guard: Guard::new(context.config.allow_networks.clone()),
            authenticator: Authenticator::new(context.config.admin_api_key.as_ref()),
            origins: OriginPolicy::for_api(&context.config, is_for_pages),
            cors: Cors::new(&context.config, is_for_pages),
            load_shed: LoadShed::new(limits.in_flight, limits.in_flight_of_address),
            rate_limits: RateLimits::new(context.config.push_subscriptions_per_day, &context.clock),
            unreached: Unreached::default(),
            context: context.clone(),
            accept,
            limits,
            uploading: Semaphore::new(limits.uploads),
            publishing: Semaphore::new(limits.publish_bytes.div_ceil(BYTES_PER_PERMIT)),
            searching: Arc::new(Semaphore::new(limits.searches)),
            waiting: Semaphore::new(WAITING),
            large_messages: Semaphore::new(limits.large_messages),
            large_messages_of: PerAddress::new(limits.large_messages_of_address),
            ingest_key: context.config.webhook_secret.as_ref().map(key_of),
            stopping: CancellationToken::new(),
        }))
    }

    /// Readiness is false from now on.
    pub(crate) fn stop_being_ready(&self) {
        self.stopping.cancel();
    }
}

impl FromRef<App> for Health {
    fn from_ref(app: &App) -> Self {
        Self { database: app.context.database.clone(), stopping: app.stopping.clone() }
    }
}

fn key_of(secret: &Secret) -> IngestKey {
    IngestKey::new(secret.expose().as_bytes())
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
