//! What every handler may use, made once a process. Holds no logic.

use std::{ops::Deref, sync::Arc, time::Duration};

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

use crate::{
    accept::Accept,
    middleware::{RateLimits, is_for_pages},
    routes::{events, notify, push_subscriptions::Unreached},
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

/// Bounds on what is in flight, and on waits. Tests shorten the waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most requests in flight; one more is answered 503.
    pub in_flight: usize,
    /// Most requests in flight of one address without a key; one more is answered 429.
    pub in_flight_of_address: usize,
    /// Most uploads in flight, among them.
    pub uploads: usize,
    /// Most bytes of published events in flight; more are answered 503.
    pub publish_bytes: usize,
    /// Most searches that look through many rows at once; one more waits for its turn.
    pub searches: usize,
    /// Most bodies of signed ingest in flight that are larger than any message has to be; one more is answered 503.
    pub large_messages: usize,
    /// Most of them from one address.
    pub large_messages_of_address: usize,
    /// Most push subscriptions that no message has reached yet, for callers without a key.
    pub unreached_subscriptions: u64,
    /// Longest that a search may wait and take; one more moment is answered 503.
    pub search: Duration,
    /// Longest wait for the next byte of a body.
    pub stall: Duration,
    /// Longest wait until a caller takes more of an answer. Generous: a slow line drains its buffers in bursts.
    pub send_stall: Duration,
    /// Longest time for a whole upload.
    pub upload: Duration,
    /// Longest time for the whole of any other body; below `request`, so that a slow caller is answered 408 and not 503.
    pub body: Duration,
    /// Longest time for any other request.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 4_096,
            in_flight_of_address: 512,
            uploads: 512,
            publish_bytes: 256 * 1_024 * 1_024,
            searches: 2,
            large_messages: 64,
            large_messages_of_address: 16,
            unreached_subscriptions: 100_000,
            search: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            send_stall: Duration::from_secs(120),
            upload: Duration::from_secs(3_600),
            body: Duration::from_secs(20),
            request: Duration::from_secs(30),
        }
    }
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
            publishing: Semaphore::new(limits.publish_bytes.div_ceil(events::BYTES_PER_PERMIT)),
            searching: Arc::new(Semaphore::new(limits.searches)),
            waiting: Semaphore::new(notify::WAITING),
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
