//! Signed messages: `POST /webhook` takes them, `GET /messages` and `GET /stats` tell of them. They belong to no user, so
//! only an administrator reads them.

mod ingest;
mod list;
mod query;
mod stats;

pub(crate) use ingest::ingest;
pub(crate) use list::list;
pub(crate) use stats::stats;
