//! Idempotency keys within the caller's transaction: who gets a key, and what stands under those that are taken.
//! Two statements on purpose: a statement that inserts does not see the rival's row that kept it from doing so.

pub mod postgres;
pub mod sqlite;
