//! What the sends of a batch do to their lanes: lock, fold, write. A lane is locked only when there is something to
//! write: a failure, a run of failures that a success ends, or a success a second newer than the one that is known.

use std::collections::{BTreeMap, HashSet};

use domain::{
    clock::Millis,
    delivery::{Channel, LaneHealth, LaneSend, LaneState, Verdict},
};
use entity::{
    delivery::record::SendResultRow,
    lane::health::{self, LaneHealthRow, LaneOutcome},
};
use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

/// The sends of a batch by lane, in the order of lanes: two recorders never lock in opposite orders.
pub(super) type Sends = BTreeMap<Uuid, Vec<LaneSend>>;

/// Folds the sends into their lanes; returns what changed.
pub(super) async fn update_lanes(
    tx: &mut Tx,
    sends: &Sends,
    time: i64,
) -> Result<LaneChanges, DatabaseError> {
    let locked = health::lock_changed(tx, &outcomes(sends), time).await?;
    let (changed, changes) = fold(locked, sends);
    health::write(tx, &changed).await?;
    Ok(changes)
}

/// The sends of those whose attempt is new. One that was written before has been folded before: its record is tried again.
pub(super) fn group_sends(results: &[SendResultRow], new_attempts: &HashSet<Uuid>) -> Sends {
    let mut sends = Sends::new();
    for result in results {
        let is_new = result.attempt.as_ref().is_none_or(|attempt| new_attempts.contains(&attempt.id.0));
        if let Some(send) = result.lane.filter(|_| is_new) {
            sends.entry(result.delivery.lane_id).or_default().push(send);
        }
    }
    sends
}

/// What decides whether a lane is locked.
fn outcomes(sends: &Sends) -> Vec<LaneOutcome> {
    let outcome = |(id, sends): (&Uuid, &Vec<LaneSend>)| {
        let successes = sends.iter().filter(|send| send.verdict == Verdict::Succeeded);
        LaneOutcome {
            id: *id,
            failed: sends.iter().any(|send| send.verdict != Verdict::Succeeded),
            succeeded_at: successes.map(|send| send.started_at.0).max(),
        }
    };
    sends.iter().map(outcome).collect()
}

/// What sends did to their lanes besides counting them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneChanges {
    /// A breaker closed: what waited for it may go out.
    pub(super) breaker_closed: bool,
    /// A lane may not be sent to any more, or may again: what is cached of it is old.
    pub(super) gate_changed: bool,
}

/// The lanes that these sends changed, and how.
fn fold(rows: Vec<LaneHealthRow>, sends: &Sends) -> (Vec<LaneHealthRow>, LaneChanges) {
    let mut changes = LaneChanges::default();
    let changed = |row: LaneHealthRow| {
        let before = read_health(&row)?;
        let after = before.after(sends.get(&row.id)?, Millis(row.now));
        changes.breaker_closed |= before.is_broken() && !after.is_broken();
        changes.gate_changed |= gate(&before, row.now) != gate(&after, row.now);
        (after != before).then(|| with_health(row, after))
    };
    let changed = rows.into_iter().filter_map(changed).collect();
    (changed, changes)
}

/// What keeps a lane from being sent to. Of a rest only its beginning counts: each further refusal moves its end.
fn gate(health: &LaneHealth, now: i64) -> (LaneState, bool, bool) {
    (health.state, health.blocked_until.0 > now, health.is_broken())
}

/// `None` for a state that this version does not know: it stays as it is.
fn read_health(row: &LaneHealthRow) -> Option<LaneHealth> {
    Some(LaneHealth {
        state: row.state.parse::<LaneState>().ok()?,
        blocked_until: Millis(row.blocked_until),
        failures: row.failures,
        failing_since: Millis(row.failing_since),
        succeeded_at: Millis(row.succeeded_at),
        breaker_until: Millis(row.breaker_until),
        breaker_wait: row.breaker_wait,
        drain_before: Millis(row.drain_before),
        off_since: Millis(row.off_since),
        off_reason: row.off_reason.as_deref().and_then(|word| word.parse().ok()),
        resumed_at: Millis(row.resumed_at),
        tell_owner: row.tell_owner,
        has_owner: row.channel == Channel::Webhook.as_str(),
    })
}

fn with_health(row: LaneHealthRow, health: LaneHealth) -> LaneHealthRow {
    LaneHealthRow {
        id: row.id,
        channel: row.channel,
        state: health.state.as_str().to_owned(),
        blocked_until: health.blocked_until.0,
        failures: health.failures,
        failing_since: health.failing_since.0,
        succeeded_at: health.succeeded_at.0,
        breaker_until: health.breaker_until.0,
        breaker_wait: health.breaker_wait,
        drain_before: health.drain_before.0,
        off_since: health.off_since.0,
        off_reason: health.off_reason.map_or(row.off_reason, |reason| Some(reason.as_str().to_owned())),
        resumed_at: health.resumed_at.0,
        tell_owner: health.tell_owner,
        now: row.now,
    }
}
