//! The dashboard: pages that show how deliveries go, live. It reads and never writes, and must never be what slows
//! deliveries down: every statement is bounded, and one poller reads for all viewers.

mod app;
mod assets;
mod format;
mod layout;
mod live;
mod middleware;
mod operations;
mod pages;
mod problem;
mod routes;
mod security;
mod services;
mod sources;

pub use services::{router, services, services_on};
