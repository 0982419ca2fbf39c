//! Claim: due rows become this worker's for the length of a lease. A hint that arrives twice claims nothing the second time.
//! Claims of many jobs are grouped into one statement, and wait for free send slots, so that a worker never holds what it
//! cannot send. Nor does a lane get more slots than its share: what it may not have waits for one of these, or is put off.
//! Hints name the lanes, so the database is asked only for what there are slots for. What is due of a lane with a backlog is
//! claimed without hints.

mod backlogs;
mod claimer;
mod claims;
mod missed;
mod parked;
mod postgres;
mod recipients;
mod room;
mod share;
mod slots;
mod sqlite;

use bytes::Bytes;
use domain::{
    clock::{Millis, millis},
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{DeliveryId, EventId, LaneId},
};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, Turn, within_deadline},
};
use uuid::Uuid;

pub use backlogs::{Backlogs, Wanted};
pub use claimer::Claimer;
pub use claims::Claims;
pub use recipients::{Chat, Recipient, Subscriber, Subscription};
pub use share::Candidate;
pub use slots::{Slot, Slots};
pub(crate) use sqlite::{note_backlogs, push_oldest};

/// What a lease lasts beyond the deadline of the send that it guards.
const LEASE_MARGIN: std::time::Duration = std::time::Duration::from_secs(30);
/// How long a due delivery is put off whose lane holds its share of the slots, in ms. Short: it counts as under way
/// meanwhile, and a busy lane that answers must not wait for it.
const PUT_OFF_MS: i64 = 100;

/// A delivery that is this worker's until its lease ends, with all that its send needs.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claimed {
    id: Uuid,
    event_id: Uuid,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<i64>,
    lane_id: Uuid,
    /// Its channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The bytes to sign and send.
    #[sqlx(try_from = "Vec<u8>")]
    pub body: Bytes,
    position: i16,
    attempts: i32,
    /// The fence: only a record that names this claim moves the delivery.
    pub claim: i32,
    recorded_claim: i32,
    created_at: i64,
    due_at: i64,
    /// Where to; none when its endpoint is gone.
    pub url: Option<String>,
    /// The sealed signing secret.
    pub sealed_secret: Option<Vec<u8>>,
    /// The sealed custom headers.
    pub sealed_headers: Option<Vec<u8>>,
    /// The endpoint's own deadline.
    pub timeout_ms: Option<i32>,
    /// The endpoint's own retry schedule, a JSON array of waits in seconds.
    pub retry_schedule: Option<String>,
    /// When it was claimed, by the database's clock, in ms.
    pub claimed_at: i64,
    /// Whether its event is there; without it nobody knows what to send.
    pub has_body: bool,
    /// Whether its hint got lost or its worker died; without meaning where a hint named it.
    rescued: bool,
    /// Whom it goes to.
    #[sqlx(skip)]
    pub recipient: Recipient,
}

impl Claimed {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> DeliveryId {
        self.id.into()
    }

    /// Its event, the `webhook-id`.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id.into()
    }

    /// Its lane.
    #[must_use]
    pub fn lane_id(&self) -> LaneId {
        self.lane_id.into()
    }

    /// Its place in the retry schedule.
    #[must_use]
    pub fn position(&self) -> u16 {
        u16::try_from(self.position).unwrap_or(u16::MAX)
    }

    /// The number of the attempt that follows.
    #[must_use]
    pub const fn attempt_number(&self) -> i32 {
        self.attempts + 1
    }

    /// When it was accepted.
    #[must_use]
    pub const fn created_at(&self) -> Millis {
        Millis(self.created_at)
    }

    /// Since when it could have arrived: what was accepted for later counts from when it was due. After a first attempt
    /// the due time is a retry's, and the time from the accept is told.
    #[must_use]
    pub fn awaited_since(&self) -> Millis {
        if self.attempts == 0 { Millis(self.due_at.max(self.created_at)) } else { self.created_at() }
    }

    /// Whether it was claimed so often without a record that it must be what its workers die of.
    #[must_use]
    pub fn is_deadly(&self) -> bool {
        self.claim - self.recorded_claim > i32::from(MAX_CLAIMS_WITHOUT_RECORD)
    }
}

/// What is claimed.
#[derive(Clone, Copy)]
enum Pick<'a> {
    /// These, by hints that name them.
    Ids(&'a [Uuid]),
    /// The oldest of each of these lanes among its first `window` due rows.
    Lanes { wanted: &'a [Wanted], window: usize },
}

/// The times that a claim sets, in ms, and the time that it compares with.
#[derive(Clone, Copy)]
struct Times {
    /// SQLite: now. Postgres: an offset that is added to the server's clock.
    now_or_offset: i64,
    deadline: i64,
    margin: i64,
}

/// Claims those of `ids` that are due, not leased, and whose lane may be used now. Of a lane with a limit only what a
/// look has granted, while that hint is trusted.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim(context: &Context, ids: &[Uuid]) -> Result<Vec<Claimed>, DatabaseError> {
    claim_in_turn(context, context.database.turn().await?, Pick::Ids(ids)).await
}

/// Claims the oldest of these lanes without a hint: those among the first `window` due rows of each that nobody works on, if
/// its lane may be used now and has no limit. Lanes that give all that is wanted are noted to have a backlog.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim_due(
    context: &Context,
    wanted: &[Wanted],
    window: usize,
) -> Result<Vec<Claimed>, DatabaseError> {
    claim_in_turn(context, context.database.turn().await?, Pick::Lanes { wanted, window }).await
}

/// Claims for those who have waited for their turn, with what they found then.
async fn claim_in_turn(context: &Context, turn: Turn, pick: Pick<'_>) -> Result<Vec<Claimed>, DatabaseError> {
    let times = Times {
        now_or_offset: context.database.statement_time(&context.clock),
        deadline: millis(context.config.delivery_timeout),
        margin: millis(LEASE_MARGIN),
    };
    let claimed = match turn {
        Turn::Postgres(pool) => within_deadline(postgres::claim(&pool, pick, times)).await?,
        Turn::Sqlite(writer) => sqlite::claim(writer, pick, times).await?,
    };
    Ok(recipients::attach(context, claimed).await)
}

/// Puts off for a tenth of a second what gets no slot, and leaves its lanes to the dispatcher for a while. What only a
/// look may grant is given back to it.
///
/// # Errors
/// Those of the database; then the marks run out by themselves.
pub async fn put_off(context: &Context, refused: &[Candidate]) -> Result<(), DatabaseError> {
    if refused.is_empty() {
        return Ok(());
    }
    let now_or_offset = context.database.statement_time(&context.clock);
    match context.database.grouped() {
        Pool::Postgres(pool) => within_deadline(postgres::put_off(pool, refused, now_or_offset)).await?,
        Pool::Sqlite(pool) => sqlite::put_off(pool, refused, now_or_offset).await?,
    }
    Ok(())
}

/// Gives leases back: these deliveries were claimed and not sent.
///
/// # Errors
/// Those of the database; then the leases end by themselves.
pub async fn release(context: &Context, claimed: &[(DeliveryId, i32)]) -> Result<(), DatabaseError> {
    match context.database.grouped() {
        Pool::Postgres(pool) => postgres::release(pool, claimed).await?,
        Pool::Sqlite(pool) => sqlite::release(pool, claimed).await?,
    }
    Ok(())
}

/// Frees every lease and forgets every hint: only for a process that is the database's only worker, at its start.
///
/// # Errors
/// Those of the database.
pub async fn free_all(context: &Context) -> Result<u64, DatabaseError> {
    match context.database.pool() {
        Pool::Postgres(_) => Ok(0),
        Pool::Sqlite(pool) => Ok(sqlite::free_all(pool).await?),
    }
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
