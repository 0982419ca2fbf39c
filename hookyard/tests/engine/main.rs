//! The engine, story by story, on SQLite + memory and on Postgres + Redis: accept, claim, send, record, dispatch.

mod accepts;
mod breaker;
mod damages;
mod dispatches;
mod doctor;
mod drains;
mod fairness;
mod gauges;
mod hands;
mod held;
mod lanes;
mod limits;
mod messages;
mod owners;
mod passed_over;
mod probes;
mod publishing;
mod push_tests;
mod races;
mod replays;
mod retention;
mod retries;
mod rotation;
mod searches;
mod uploads;
mod workers;
