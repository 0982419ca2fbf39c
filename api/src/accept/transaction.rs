//! One transaction for a batch of accepts, and what its failure means for the callers.

use domain::{
    clock::{Millis, millis},
    event::KEY_KEPT,
};
use entity::{
    bulk::{broadcasts, messages, postgres, sqlite},
    idempotency_key as keys,
};
use platform::{
    context::Context,
    database::{BatchTransaction, BatchTransactionError, DatabaseError, Pool, Tx, within_deadline},
    telemetry::names,
};
use sqlx::{PgPool, SqlitePool};
use tracing::warn;

use super::{
    AcceptError,
    recipients::{Confirmation, insert_if_unchanged},
    rows::Rows,
};

/// Why a batch was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteError {
    /// The database said no to a row; nothing was written.
    Refused,
    /// The database is away; nothing was written.
    Unavailable,
    /// It broke during the commit.
    Unknown,
    /// The recipients that were remembered have changed; nothing was written.
    Changed,
}

impl From<WriteError> for AcceptError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused => Self::Refused,
            WriteError::Unavailable | WriteError::Changed => Self::Unavailable,
            WriteError::Unknown => Self::Unknown,
        }
    }
}

/// Writes and commits; returns when, by the database's clock. Events whose key or message id was taken before are taken out
/// of `rows`. A `confirmation` is for events and deliveries alone, on Postgres.
pub(super) async fn write(
    context: &Context,
    rows: &mut Rows,
    confirmation: Option<&Confirmation>,
) -> Result<Millis, WriteError> {
    let write = async { Ok::<_, DatabaseError>(write_in_time(context, rows, confirmation).await) };
    let written = within_deadline(write).await;
    written.unwrap_or_else(|error| {
        log_and_count(&error);
        Err(WriteError::Unknown)
    })
}

async fn write_in_time(
    context: &Context,
    rows: &mut Rows,
    confirmation: Option<&Confirmation>,
) -> Result<Millis, WriteError> {
    if rows.are_plain() {
        match context.database.grouped() {
            Pool::Postgres(pool) => return plain_on_postgres(pool, rows, confirmation).await,
            Pool::Sqlite(pool) if rows.fit_one_statement() => return plain_on_sqlite(pool, rows).await,
            Pool::Sqlite(_) => {}
        }
    }
    let mut tx = context.database.begin_grouped().await.map_err(not_begun)?;
    let accepted_at = insert_all(&mut tx, rows).await.map_err(|error| {
        let error = DatabaseError::Sqlx(error);
        log_and_count(&error);
        if error.is_refusal() { WriteError::Refused } else { WriteError::Unavailable }
    })?;
    tx.commit().await.map_err(|error| {
        log_and_count(&error);
        WriteError::Unknown
    })?;
    Ok(accepted_at)
}

/// Events and deliveries alone are one statement, which is a transaction of its own: one way to the server in place of
/// four. Unless it refused them, an error may come from the commit.
async fn plain_on_postgres(
    pool: &PgPool,
    rows: &Rows,
    confirmation: Option<&Confirmation>,
) -> Result<Millis, WriteError> {
    let mut connection = pool.acquire().await.map_err(|error| not_begun(error.into()))?;
    let (events, deliveries, stamp) = (&rows.events, &rows.deliveries, rows.stamp);
    let written = match confirmation {
        Some(known) => insert_if_unchanged(&mut connection, events, deliveries, stamp, known).await,
        None => postgres::insert_published(&mut connection, events, deliveries, stamp).await.map(Some),
    };
    let written = written.map_err(|error| {
        let error = DatabaseError::Sqlx(error);
        log_and_count(&error);
        if error.is_refusal() { WriteError::Refused } else { WriteError::Unknown }
    })?;
    written.map(Millis).ok_or(WriteError::Changed)
}

/// Events and deliveries alone go to the writer in one message.
async fn plain_on_sqlite(pool: &SqlitePool, rows: &Rows) -> Result<Millis, WriteError> {
    let mut accept = BatchTransaction::durable();
    if !rows.events.is_empty() {
        sqlite::push_events(accept.statement(), &rows.events, rows.stamp);
    }
    if !rows.deliveries.is_empty() {
        sqlite::push_deliveries(accept.statement(), &rows.deliveries, rows.stamp);
    }
    let writer = pool.acquire().await.map_err(|error| not_begun(error.into()))?;
    accept.run(writer).await.map(|_| Millis(rows.stamp.now_or_offset)).map_err(|error| {
        let is_known = matches!(error, BatchTransactionError::NotWritten(_));
        let error = DatabaseError::Sqlx(error.into());
        log_and_count(&error);
        match error.is_refusal() {
            true => WriteError::Refused,
            false if is_known => WriteError::Unavailable,
            false => WriteError::Unknown,
        }
    })
}

fn not_begun(error: DatabaseError) -> WriteError {
    log_and_count(&error);
    WriteError::Unavailable
}

async fn insert_all(tx: &mut Tx, rows: &mut Rows) -> Result<Millis, sqlx::Error> {
    take_keys(tx, rows).await?;
    insert_messages(tx, rows).await?;
    take_broadcasts(tx, rows).await?;
    let accepted_at = insert(tx, rows).await?;
    count_messages(tx, rows).await?;
    Ok(accepted_at)
}

/// First who may publish under which key, then what stands under those that were taken: a second statement, since the
/// first one does not see the rows of rivals that it waited for.
async fn take_keys(tx: &mut Tx, rows: &mut Rows) -> Result<(), sqlx::Error> {
    let (wanted, time, kept) = (rows.keys.to_take(), rows.stamp.now_or_offset, millis(KEY_KEPT));
    let taken = match tx {
        Tx::Postgres(tx) => keys::postgres::take(tx, &wanted, time, kept).await?,
        Tx::Sqlite(tx) => keys::sqlite::take(tx, &wanted, time, kept).await?,
    };
    let (asked, lost) = rows.keys.took(taken);
    rows.drop_events(&lost);
    rows.keys.found(match tx {
        Tx::Postgres(tx) => keys::postgres::read(tx, &asked, time, kept).await?,
        Tx::Sqlite(tx) => keys::sqlite::read(tx, &asked, time, kept).await?,
    });
    Ok(())
}

/// First which messages are new: the others' events are not written.
async fn insert_messages(tx: &mut Tx, rows: &mut Rows) -> Result<(), sqlx::Error> {
    let (wanted, time) = (rows.messages.to_insert(), rows.stamp.now_or_offset);
    let created = match tx {
        Tx::Postgres(tx) => messages::postgres::insert(tx, &wanted, time).await?,
        Tx::Sqlite(tx) => messages::sqlite::insert(tx, &wanted, time).await?,
    };
    let lost = rows.messages.inserted(created);
    rows.drop_events(&lost);
    Ok(())
}

/// First which broadcasts are new: an event without any is not written.
async fn take_broadcasts(tx: &mut Tx, rows: &mut Rows) -> Result<(), sqlx::Error> {
    let stamp = rows.stamp;
    let wanted = rows.notifications.sorted();
    let taken = match tx {
        Tx::Postgres(tx) => broadcasts::postgres::take(tx, wanted, stamp).await?,
        Tx::Sqlite(tx) => broadcasts::sqlite::take(tx, wanted, stamp).await?,
    };
    let lost = rows.notifications.took(taken);
    rows.drop_events(&lost);
    Ok(())
}

/// Last of all: until the commit, other processes wait for the senders' rows.
async fn count_messages(tx: &mut Tx, rows: &Rows) -> Result<(), sqlx::Error> {
    let Some(growth) = rows.messages.growth() else { return Ok(()) };
    match tx {
        Tx::Postgres(tx) => messages::postgres::count(tx, &growth).await,
        Tx::Sqlite(tx) => messages::sqlite::count(tx, &growth).await,
    }
}

async fn insert(tx: &mut Tx, rows: &Rows) -> Result<Millis, sqlx::Error> {
    match tx {
        Tx::Postgres(tx) => {
            postgres::insert_uploads(tx, &rows.uploads, rows.stamp).await?;
            postgres::insert_published(tx, &rows.events, &rows.deliveries, rows.stamp).await.map(Millis)
        }
        Tx::Sqlite(tx) => {
            sqlite::insert_uploads(tx, &rows.uploads, rows.stamp).await?;
            sqlite::insert_events(tx, &rows.events, rows.stamp).await?;
            sqlite::insert_deliveries(tx, &rows.deliveries, rows.stamp).await?;
            Ok(Millis(rows.stamp.now_or_offset))
        }
    }
}

/// The one place where a failed accept is logged.
pub(super) fn log_and_count(error: &DatabaseError) {
    metrics::counter!(names::DATABASE_ERRORS).increment(1);
    warn!(%error, "an accept was not written");
}
