//! The API over real TCP, on throw-away databases.

mod both;
mod cors;
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
mod notices;
mod placements;
mod registrations;
mod statistics;
mod stop;
mod subscribers;
mod upload_faults;
mod uploads;
mod v1;
