//! The dashboard: pages that show how deliveries go, live. It reads and never writes, and must never be what slows
//! deliveries down: every statement is bounded, and one poller reads for everybody who watches.

mod app;
mod assets;
mod format;
mod layout;
mod listen;
mod live;
mod operations;
mod pages;
mod problem;
mod queries;
mod routes;
mod security;
mod service;

pub use service::{router, services, services_on};
