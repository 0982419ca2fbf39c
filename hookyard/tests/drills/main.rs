//! Drills: the real programs, real servers and real signals. Whatever is killed, stopped, paused or wiped, every accepted
//! delivery arrives without manual action. Each drill prints what it saw (`--nocapture`).

mod backlog;
mod broadcast;
mod cluster;
mod crash;
mod load;
mod memory;
mod one_machine;
mod poison;
mod postgres_away;
mod programs;
mod redis_away;
mod refusals;
mod tally;
mod window;
mod workers;
