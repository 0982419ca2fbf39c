//! Records of successes on Postgres, in one statement that is a transaction of its own: one way to the server in place of
//! six. Never of anything else, and never where a lane has a failure to forget: that needs the lane's lock first.

use std::collections::BTreeMap;

use domain::delivery::{NextStep, Verdict};
use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{
    lanes::KNOWN_WITHIN_MS,
    rows::{AttemptRow, Ended, micros},
    write::Moved,
};

// Nothing is written when a lane is not well. A lane that is well is written once a second at most, and its lock is never
// waited for.
const RECORD: &str = "WITH asked AS MATERIALIZED (
        SELECT l.id, asked.succeeded_at, l.failures > 0 OR l.breaker_until > 0 AS is_unwell,
            l.state <> 'deleted' AND asked.succeeded_at >= l.resumed_at
                AND l.succeeded_at < asked.succeeded_at - $4 AS is_news
        FROM unnest($2::uuid[], $3::bigint[]) AS asked (id, succeeded_at) JOIN lane l ON l.id = asked.id
    ), ended AS MATERIALIZED (
        SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::integer[], $8::integer[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::bigint[], $13::bigint[], $14::smallint[], $15::text[], $16::text[], $17::bytea[])
            AS row (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
                    status_code, request_headers, response_headers, response_body)
        WHERE NOT EXISTS (SELECT 1 FROM asked WHERE is_unwell)
    ), tried AS (
        INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us,
            first_byte_us, status_code, request_headers, response_headers, response_body)
        SELECT * FROM ended ON CONFLICT DO NOTHING
    ), gone AS (
        DELETE FROM delivery d USING ended
        WHERE d.id = ended.delivery_id AND d.claim = ended.claim AND d.recorded_claim < ended.claim
        RETURNING d.*, ended.number
    ), moved AS (
        INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, 'succeeded', NULL,
            position, number, claim, created_at, (SELECT now_ms() + $1) FROM gone
        RETURNING 1
    ), told AS (
        UPDATE lane SET succeeded_at = greatest(lane.succeeded_at, held.succeeded_at)
        FROM (SELECT l.id, asked.succeeded_at FROM asked JOIN lane l ON l.id = asked.id
              WHERE asked.is_news AND EXISTS (SELECT 1 FROM ended) AND l.failures = 0 AND l.breaker_until = 0
              ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED) AS held
        WHERE lane.id = held.id
    )
    SELECT EXISTS (SELECT 1 FROM ended), (SELECT count(*) FROM moved)";

/// A batch of which every send succeeded.
pub(super) struct Successes<'e> {
    rows: Vec<(&'e Ended, &'e AttemptRow)>,
}

impl<'e> Successes<'e> {
    /// The batch, if it is one.
    pub(super) fn of(ended: &'e [Ended]) -> Option<Self> {
        let rows: Option<Vec<_>> = ended.iter().map(|ended| Some((ended, success(ended)?))).collect();
        rows.filter(|rows| !rows.is_empty()).map(|rows| Self { rows })
    }

    /// Writes and commits; none when nothing was written because a lane is not well. May be called again after any error.
    pub(super) async fn record(&self, pool: &PgPool, offset: i64) -> Result<Option<Moved>> {
        let (lanes, succeeded_at): (Vec<Uuid>, Vec<i64>) = self.lanes().into_iter().unzip();
        let query = sqlx::query_as(RECORD).bind(offset).bind(lanes).bind(succeeded_at).bind(KNOWN_WITHIN_MS);
        let query = query
            .bind(self.column(|_, attempt| attempt.id.0))
            .bind(self.column(|ended, _| ended.delivery.id().0))
            .bind(self.column(|_, attempt| attempt.number))
            .bind(self.column(|ended, _| ended.delivery.claim))
            .bind(self.column(|_, attempt| attempt.started_at.0))
            .bind(self.column(|_, attempt| micros(attempt.duration)))
            .bind(self.column(|_, attempt| attempt.resolve.map(micros)))
            .bind(self.column(|_, attempt| attempt.connect.map(micros)))
            .bind(self.column(|_, attempt| attempt.first_byte.map(micros)))
            .bind(self.column(|_, attempt| attempt.status_code.and_then(|code| i16::try_from(code).ok())))
            .bind(self.column(|_, attempt| attempt.request_headers.as_str()))
            .bind(self.column(|_, attempt| attempt.response_headers.as_deref()))
            .bind(self.column(|_, attempt| attempt.response_body.as_slice()));
        let (is_written, finished): (bool, i64) = query.fetch_one(pool).await?;
        Ok(is_written.then(|| Moved { finished: finished.unsigned_abs(), ..Moved::default() }))
    }

    /// When the newest success of each lane started.
    fn lanes(&self) -> BTreeMap<Uuid, i64> {
        let mut lanes = BTreeMap::new();
        for (ended, _) in &self.rows {
            if let Some(send) = ended.lane {
                let newest = lanes.entry(ended.delivery.lane_id().0).or_insert(send.started_at.0);
                *newest = send.started_at.0.max(*newest);
            }
        }
        lanes
    }

    fn column<Value>(&self, value: impl Fn(&'e Ended, &'e AttemptRow) -> Value) -> Vec<Value> {
        self.rows.iter().map(|(ended, attempt)| value(ended, attempt)).collect()
    }
}

/// The attempt of a send that succeeded and about which there is nothing more to say.
fn success(ended: &Ended) -> Option<&AttemptRow> {
    let attempt = ended.attempt.as_ref()?;
    let is_well = ended.lane.is_none_or(|send| send.verdict == Verdict::Succeeded);
    let is_plain = attempt.error_class.is_none() && attempt.error.is_none();
    let is_there = ended.recipient.left_at.is_none();
    (ended.next == NextStep::Succeed && is_well && is_plain && is_there).then_some(attempt)
}
