//! What every HTTP listener of Hookyard shares: connections, middleware, authentication, health and metrics. Knows no route.

pub mod auth;
pub mod health;
pub mod listener;
pub mod metrics;
pub mod middleware;
mod peer;

pub use peer::Peer;
