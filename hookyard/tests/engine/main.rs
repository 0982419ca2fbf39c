//! The engine, story by story, on SQLite + memory and on Postgres + Redis: accept, claim, send, record, dispatch.

mod accepts;
mod breaker;
mod damages;
mod dispatches;
mod doctor;
mod drains;
mod fairness;
mod hands;
mod lanes;
mod limits;
mod publishing;
mod held;
mod owners;
mod races;
mod replays;
mod retention;
mod retries;
mod rotation;
mod searches;
mod uploads;
mod workers;
