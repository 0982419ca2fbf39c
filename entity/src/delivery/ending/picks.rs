//! Which deliveries end without having been sent, as statements that both databases read. Each names the delivery `d`.

use crate::lane::rules::{held, off};

pub(super) const OF_DELETED: &str = concat!(
    "SELECT d.id FROM lane l JOIN delivery d ON d.lane_id = l.id WHERE ",
    off!(),
    " AND l.state = 'deleted' AND d.lease_until <= $1 LIMIT $2"
);

// Of those that are due, the ones that are due last go: one step along the index for each that is kept, once a lane, and no
// sorting. Joined without the first part, Postgres takes these steps for each delivery. The first condition on the lane is
// that of the index `lane_off`. What is not due is not held, and is neither counted nor buried.
pub(super) const TOO_MANY: &str = concat!(
    "WITH bound AS MATERIALIZED (
        SELECT l.id,
            (SELECT k.due_at FROM delivery k WHERE k.lane_id = l.id AND k.due_at <= $2
                ORDER BY k.due_at, k.id LIMIT 1 OFFSET $1) AS due_at,
            (SELECT k.id FROM delivery k WHERE k.lane_id = l.id AND k.due_at <= $2
                ORDER BY k.due_at, k.id LIMIT 1 OFFSET $1) AS delivery_id
        FROM lane l WHERE ",
    held!(),
    "
    )
    SELECT d.id FROM bound JOIN delivery d
        ON d.lane_id = bound.id AND (d.due_at, d.id) >= (bound.due_at, bound.delivery_id)
    WHERE bound.due_at IS NOT NULL AND d.due_at <= $2 AND d.lease_until <= $2 LIMIT $3"
);

// What is not due yet is not held: its time counts from when it was due.
pub(super) const TOO_LONG: &str = concat!(
    "SELECT d.id FROM lane l JOIN delivery d ON d.lane_id = l.id WHERE ",
    held!(),
    " AND l.off_since < $1 AND d.created_at < $1 AND d.due_at < $1 AND d.lease_until <= $2 LIMIT $3"
);

// One that was never tried since it was made, put off or retried by hand counts from when it was due.
pub(super) const WHOLE_SCHEDULE_PASSED: &str =
    " WHERE l.state = 'active' AND l.breaker_until > 0 AND d.created_at <= down.cutoff
    AND (d.position > 0 OR d.due_at <= down.cutoff) AND ";
