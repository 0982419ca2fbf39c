//! One transaction for a batch of accepts, and what its failure means for the callers.

use domain::{
    clock::{Millis, millis},
    event::KEY_KEPT,
};
use entity::{
    broadcast, event,
    event::publish::{Confirmation, PublishError},
    idempotency_key::queries as keys,
    message, message_total, upload,
};
use platform::{
    context::Context,
    database::{DatabaseError, Tx, within_deadline},
    telemetry::names,
};
use tracing::warn;

use super::{AcceptError, rows::Rows};

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
    let database = &context.database;
    if rows.are_plain() && event::publish::fits_alone(database, &rows.events, &rows.deliveries) {
        let (events, deliveries) = (&rows.events, &rows.deliveries);
        let written = event::publish::publish_alone(database, events, deliveries, rows.stamp, confirmation);
        return written.await.map_err(unpublished)?.ok_or(WriteError::Changed);
    }
    let mut tx =
        database.begin_grouped().await.map_err(|error| unwritten(&error, WriteError::Unavailable))?;
    let accepted_at = insert_all(&mut tx, rows).await;
    let accepted_at = accepted_at.map_err(|error| unwritten(&error, WriteError::Unavailable))?;
    tx.commit().await.map_err(|error| {
        log_and_count(&error);
        WriteError::Unknown
    })?;
    Ok(accepted_at)
}

fn unpublished(error: PublishError) -> WriteError {
    match error {
        PublishError::NotWritten(error) => unwritten(&error, WriteError::Unavailable),
        PublishError::Unknown(error) => unwritten(&error, WriteError::Unknown),
    }
}

fn unwritten(error: &DatabaseError, otherwise: WriteError) -> WriteError {
    log_and_count(error);
    if error.is_refusal() { WriteError::Refused } else { otherwise }
}

async fn insert_all(tx: &mut Tx, rows: &mut Rows) -> Result<Millis, DatabaseError> {
    take_keys(tx, rows).await?;
    insert_messages(tx, rows).await?;
    insert_broadcasts(tx, rows).await?;
    upload::insert::insert_uploads(tx, &rows.uploads, rows.stamp).await?;
    let accepted_at = event::publish::publish(tx, &rows.events, &rows.deliveries, rows.stamp).await?;
    // Last of all: until the commit, other processes wait for the senders' rows.
    if let Some(growth) = rows.messages.growth() {
        message_total::grow::grow(tx, &growth).await?;
    }
    Ok(accepted_at)
}

/// First who may publish under which key, then what stands under those that were taken: a second statement, since the
/// first one does not see the rows of rivals that it waited for.
async fn take_keys(tx: &mut Tx, rows: &mut Rows) -> Result<(), DatabaseError> {
    let (time, kept) = (rows.stamp.now_or_offset, millis(KEY_KEPT));
    let taken = keys::take(tx, &rows.keys.to_take(), time, kept).await?;
    let (asked, lost) = rows.keys.took(taken);
    rows.drop_events(&lost);
    rows.keys.found(keys::read(tx, &asked, time, kept).await?);
    Ok(())
}

/// First which messages are new: the others' events are not written.
async fn insert_messages(tx: &mut Tx, rows: &mut Rows) -> Result<(), DatabaseError> {
    let wanted = rows.messages.to_insert();
    let created = message::insert::insert_new(tx, &wanted, rows.stamp.now_or_offset).await?;
    let lost = rows.messages.inserted(created);
    rows.drop_events(&lost);
    Ok(())
}

/// First which broadcasts are new: an event without any is not written.
async fn insert_broadcasts(tx: &mut Tx, rows: &mut Rows) -> Result<(), DatabaseError> {
    let stamp = rows.stamp;
    let taken = broadcast::insert::insert_new(tx, rows.notifications.sorted(), stamp).await?;
    let lost = rows.notifications.took(taken);
    rows.drop_events(&lost);
    Ok(())
}

/// The one place where a failed accept is logged.
pub(super) fn log_and_count(error: &DatabaseError) {
    metrics::counter!(names::DATABASE_ERRORS).increment(1);
    warn!(%error, "an accept was not written");
}
