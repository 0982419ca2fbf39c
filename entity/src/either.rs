//! A statement that both databases read alike, run on whichever there is.

/// Evaluates the expression with the pool that reads.
macro_rules! on_reader {
    ($database:expr, $pool:ident => $run:expr) => {
        match $database.pool() {
            platform::database::Pool::Postgres($pool) => $run,
            platform::database::Pool::Sqlite(_) => {
                let $pool = $database.reader().get_sqlite_connection_pool();
                $run
            }
        }
    };
}

/// Evaluates the expression with the pool that writes.
macro_rules! on_writer {
    ($database:expr, $pool:ident => $run:expr) => {
        match $database.pool() {
            platform::database::Pool::Postgres($pool) => $run,
            platform::database::Pool::Sqlite($pool) => $run,
        }
    };
}

/// Evaluates the expression with the connection of a transaction.
macro_rules! in_tx {
    ($tx:expr, $connection:ident => $run:expr) => {
        match $tx {
            platform::database::Tx::Postgres(tx) => {
                let $connection: &mut sqlx::PgConnection = tx;
                $run
            }
            platform::database::Tx::Sqlite(tx) => {
                let $connection: &mut sqlx::SqliteConnection = tx;
                $run
            }
        }
    };
}

pub(crate) use {in_tx, on_reader, on_writer};
