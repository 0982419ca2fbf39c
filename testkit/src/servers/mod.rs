//! Separate servers of a test that it may kill, pause and restart: on free ports of 127.0.0.1, in temporary folders,
//! removed with the test. A test that does not touch the server itself uses the shared one ([`crate::database`]).

mod port;
mod postgres;
mod programs;
mod redis;

pub use port::free_port;
pub use postgres::{Care, OwnPostgres};
pub use redis::OwnRedis;
