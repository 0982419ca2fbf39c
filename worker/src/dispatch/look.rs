//! One look at what is due: takes rows that have no trusted hint and no live lease, and marks them as hinted.

use std::time::Duration;

use domain::{clock::millis, job::HINT_TRUSTED};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use uuid::Uuid;

use super::{limited::Granted, postgres, share, sqlite};

/// Rows of one lane that a look takes, however many lanes are due. A lane that gave as many has a backlog.
pub(super) const ROWS_OF_A_LANE: i64 = 64;
/// Rows that a look takes of few lanes, shared out evenly.
const ROWS_OF_FEW: i64 = 1_024;
/// Most rows of one lane that a look takes where few are due.
const MOST_OF_A_LANE: i64 = 512;
/// Most lanes that a look passes.
pub(super) const LANES: i64 = 256;

/// A due row that a look took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// Its id.
    pub id: Uuid,
    /// Its lane; an upload's endpoint.
    pub lane_id: Uuid,
    /// Whether its hint got lost or its worker died; otherwise it was simply due.
    pub rescued: bool,
}

/// What a look came to.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// What is due now, lane after lane; marked as hinted.
    pub found: Vec<Found>,
    /// The last lane it passed; none when it passed the last one there is.
    pub stopped_at: Option<Uuid>,
    /// Lanes without limits that gave so many that they have a backlog.
    pub backlogs: Vec<Uuid>,
    /// Lanes with limits: they may have more as soon as a send of theirs is recorded.
    pub limited: Vec<Uuid>,
    /// Lanes that have more in so long.
    pub again: Vec<(Uuid, Duration)>,
}

/// Which lanes a look passes.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The next 256 that have deliveries, behind this one.
    After(Uuid),
    /// These, at most 256.
    These(&'a [Uuid]),
}

/// What a look may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Rows in all.
    pub room: usize,
    /// Rows of one lane that may be under way, those included that a look finds so.
    pub share: usize,
    /// Lanes of which nothing is taken: this process could not send it, or claims it without a look.
    pub full: Vec<Uuid>,
}

/// A lane that a look passes, and what may be taken of it.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Passed {
    pub(super) lane_id: Uuid,
    /// [`OPEN`], [`LIMITED`], or neither: nothing is taken.
    pub(super) gate: i32,
}

/// What is due may be taken, up to the lane's share.
const OPEN: i32 = 1;
/// What is due is granted with the lane locked.
const LIMITED: i32 = 2;

/// The bounds and times of a look as statements want them.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) room: i64,
    pub(super) share: i64,
    pub(super) now_or_offset: i64,
    pub(super) trusted: i64,
}

/// The lanes of a look by what may be taken of them, with the part of the room that is theirs.
pub(super) struct Plan {
    passed: Vec<Uuid>,
    is_last: bool,
    pub(super) open: Vec<Uuid>,
    pub(super) open_room: i64,
    /// Most rows of each of the open ones.
    pub(super) open_rows: i64,
    pub(super) limited: Vec<Uuid>,
    pub(super) limited_room: i64,
}

impl Plan {
    /// Shares `room` out. Where there is but one row for both kinds, `coin` decides.
    pub(super) fn of(passed: &[Passed], which: Which<'_>, full: &[Uuid], room: i64, coin: bool) -> Self {
        let of_gate = |gate| {
            let lanes = passed.iter().filter(|lane| lane.gate == gate && !full.contains(&lane.lane_id));
            lanes.map(|lane| lane.lane_id).collect::<Vec<_>>()
        };
        let (open, limited) = (of_gate(OPEN), of_gate(LIMITED));
        let limited_room = match (open.is_empty(), limited.is_empty()) {
            (_, true) => 0,
            (true, false) => room,
            (false, false) => room / 2 + i64::from(coin) * (room % 2),
        };
        let is_last = match which {
            Which::After(_) => i64::try_from(passed.len()).is_ok_and(|count| count < LANES),
            Which::These(_) => true,
        };
        let passed = passed.iter().map(|lane| lane.lane_id).collect();
        let open_room = room - limited_room;
        let open_rows = rows_of_a_lane(open.len(), open_room);
        Self { passed, is_last, open, open_room, open_rows, limited, limited_room }
    }

    /// What the look came to. It stopped where the first kind of lanes had used up its room.
    pub(super) fn end(self, open: Vec<Found>, granted: Granted) -> Look {
        let stops = [self.stop(&open, self.open_room), self.stop(&granted.found, self.limited_room)];
        let end = if self.is_last { None } else { self.passed.last().copied() };
        let stopped_at = stops.into_iter().flatten().min().map(|place| self.passed[place]).or(end);
        let backlogs = lanes_with_backlog(&open);
        let mut found = open;
        found.extend(granted.found);
        Look { found, stopped_at, backlogs, limited: self.limited, again: granted.again }
    }

    /// The place of the lane in which the room was used up.
    fn stop(&self, found: &[Found], room: i64) -> Option<usize> {
        let used_up = room > 0 && i64::try_from(found.len()).is_ok_and(|count| count >= room);
        let place = |found: &Found| self.passed.iter().position(|lane| *lane == found.lane_id);
        if used_up { found.iter().filter_map(place).max() } else { None }
    }
}

/// Most rows of each of so many due lanes within this room. The fewer lanes, the more: accepts do not hint a
/// lane with a backlog, so looks must be able to take more of one lane alone than accepts add to it.
fn rows_of_a_lane(lanes: usize, room: i64) -> i64 {
    let lanes = i64::try_from(lanes).unwrap_or(i64::MAX).max(1);
    (room.min(ROWS_OF_FEW) / lanes).clamp(ROWS_OF_A_LANE, MOST_OF_A_LANE)
}

/// The lanes that gave so many rows that they have a backlog.
pub(super) fn lanes_with_backlog(found: &[Found]) -> Vec<Uuid> {
    let mut counts = std::collections::BTreeMap::<Uuid, i64>::new();
    found.iter().for_each(|found| *counts.entry(found.lane_id).or_default() += 1);
    counts.into_iter().filter(|(_, count)| *count >= ROWS_OF_A_LANE).map(|(lane, _)| lane).collect()
}

/// Takes due deliveries of at most 256 lanes after `after`, at most 64 of a lane (512 where few lanes are due) and `room`
/// in all, as a process does that is the only worker.
///
/// # Errors
/// Those of the database.
pub async fn deliveries(context: &Context, after: Uuid, room: usize) -> Result<Look, DatabaseError> {
    let share = share::of_a_lane(context.config.send_slots);
    deliveries_within(context, Which::After(after), &Bounds { room, share, full: vec![] }).await
}

/// Takes due deliveries of these lanes within these bounds: at most 64 of a lane, or where fewer than 16 are due an even
/// part of 1,024, at most 512; of a limited lane at most 64. A limited lane is locked meanwhile, and passed over while
/// another look has it.
///
/// # Errors
/// Those of the database.
pub async fn deliveries_within(
    context: &Context,
    which: Which<'_>,
    bounds: &Bounds,
) -> Result<Look, DatabaseError> {
    let terms = Terms {
        room: i64::try_from(bounds.room).unwrap_or(i64::MAX),
        share: i64::try_from(bounds.share).unwrap_or(i64::MAX),
        now_or_offset: context.database.statement_time(&context.clock),
        trusted: millis(HINT_TRUSTED),
    };
    Ok(match context.database.grouped() {
        Pool::Postgres(pool) => {
            within_deadline(postgres::deliveries(pool, which, &bounds.full, terms)).await?
        }
        Pool::Sqlite(pool) => sqlite::deliveries(pool, which, &bounds.full, terms).await?,
    })
}

/// Takes at most `room` due uploads, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn uploads(context: &Context, room: usize) -> Result<Vec<Found>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let room = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => {
            within_deadline(postgres::uploads(pool, room, time, millis(HINT_TRUSTED))).await?
        }
        Pool::Sqlite(pool) => sqlite::uploads(pool, room, time, millis(HINT_TRUSTED)).await?,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fewer_lanes_are_due_the_more_rows_of_each_are_taken() {
        let table = [(0, 512), (1, 512), (2, 512), (3, 341), (15, 68), (16, 64), (17, 64), (256, 64)];
        for (lanes, rows) in table {
            assert_eq!(super::rows_of_a_lane(lanes, 4_096), rows, "{lanes} lanes");
        }
        for (lanes, room, rows) in [(1, 100, 100), (2, 127, 64), (2, 130, 65), (1, 1, 64), (1, 0, 64)] {
            assert_eq!(super::rows_of_a_lane(lanes, room), rows, "{lanes} lanes, room for {room}");
        }
    }
}
