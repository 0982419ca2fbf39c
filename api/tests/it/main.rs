//! The API over real TCP, on throw-away databases.

mod both;
mod deliveries;
mod edge;
mod endpoint_changes;
mod endpoint_life;
mod endpoint_secrets;
mod endpoints;
mod event_types;
mod events;
mod files;
mod harness;
mod health;
mod lock;
mod messages;
mod registrations;
mod stop;
mod upload_faults;
mod uploads;
mod v1;
