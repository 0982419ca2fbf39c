//! The HTTP APIs of Hookyard: routes, permissions, problem responses, accept.
//! Work is stored here and done elsewhere: nothing in this crate sends anything to the outside.

pub mod accept;
mod app;
mod auth;
mod error_format;
mod extract;
mod limits;
mod middleware;
mod multipart;
mod problem;
mod router;
mod routes;
mod search;
mod services;

pub use app::{App, Limits};
pub use router::{RouteInfo, route_list, router};
pub use services::{serve, services, services_on};
pub use web::listener::{BindError, Listeners};
