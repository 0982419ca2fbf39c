//! Broadcasts: taken when they are accepted, each notice once on a channel, and made into deliveries page by page.
//! Called inside the caller's transaction; never commits.

pub mod postgres;
pub mod sqlite;

/// Rows a statement on SQLite, far below its 32,766 bound values.
const ROWS: usize = 500;
