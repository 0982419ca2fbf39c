//! Notices, placements, and those who are told: subscribers and push subscriptions. Many rows are one statement; a
//! statement never names a unique key twice.

pub mod postgres;
pub mod sqlite;
