//! The API over real TCP, on a throw-away SQLite database.

mod edge;
mod endpoint_secrets;
mod files;
mod harness;
mod health;
mod lock;
mod registrations;
mod stop;
mod upload_faults;
mod uploads;
mod v1;
