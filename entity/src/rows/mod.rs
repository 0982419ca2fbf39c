//! Many rows as the values of one statement: arrays on Postgres, `VALUES` of few different lengths on SQLite.

pub(crate) mod postgres;
pub(crate) mod sqlite;
