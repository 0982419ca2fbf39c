//! The HTTP surfaces of Hookyard: what comes in, who may, and how it is answered.
//! Work is stored here and done elsewhere: nothing in this crate sends anything to the outside.

pub mod accept;
mod app;
mod auth;
mod extract;
mod listen;
mod middleware;
mod multipart;
mod problem;
mod refusal;
mod router;
mod routes;
mod search;
mod surface;

pub use app::{App, Limits};
pub use listen::{BindError, Listeners, serve, services, services_on};
pub use router::{RouteInfo, route_list, router};
