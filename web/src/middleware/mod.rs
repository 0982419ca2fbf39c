//! Middleware of every listener: what a request passes on its way in and an answer on its way out. Each is a function or
//! a type that a router's own middleware calls, so that one layer runs them all in the order that the router chooses.

pub mod access_log;
pub mod cors;
pub mod error_response;
pub mod host_origin;
pub mod load_shed;
pub mod per_address;
pub mod rate_limit;
pub mod request_id;

pub use self::{
    access_log::{AccessLog, IngestFields},
    cors::Cors,
    error_response::{ErrorFormat, render_errors},
    host_origin::{HostOriginError, OriginPolicy},
    load_shed::{LoadShed, Shed},
    per_address::{InFlight, PerAddress},
    rate_limit::{Rate, RateLimit},
    request_id::RequestId,
};
