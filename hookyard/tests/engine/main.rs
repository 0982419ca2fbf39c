//! The engine, story by story, on SQLite + memory and on Postgres + Redis: accept, claim, send, record, dispatch.

mod accepts;
mod damages;
mod dispatches;
mod doctor;
mod hands;
mod publishing;
mod races;
mod replays;
mod retention;
mod retries;
mod rotation;
mod searches;
mod uploads;
mod workers;
