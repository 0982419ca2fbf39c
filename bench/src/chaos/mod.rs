//! Fault injection under load, on a schedule derived from a seed, with a ledger of every accepted id: whatever breaks, accepted
//! work must arrive.

mod balance;
mod fault;
mod faults;
mod load;
mod postgres_faults;
mod redis_faults;
mod run;
mod schedule;
mod sqlite_faults;

pub(crate) use fault::Fault;
pub(crate) use run::{AFTERWARDS, faults_for, run};
