//! Rules about lanes and their due deliveries, as conditions that statements of several tables share: each is written once.

/// Whether lane `$lane` sends without a claim that counts: no limit of its own, a closed breaker, nothing to drain.
macro_rules! unlimited {
    ($lane:literal) => {
        concat!(
            $lane,
            ".rate_limit IS NULL AND ",
            $lane,
            ".max_in_flight IS NULL AND ",
            $lane,
            ".breaker_until = 0 AND ",
            $lane,
            ".drain_before = 0"
        )
    };
}

/// Whether lane `$lane` may be sent to: it is active, and at the time that the statement names next its breaker is not open and
/// its receiver did not ask to wait.
macro_rules! sendable_at {
    (postgres $lane:literal) => {
        $crate::lane::rules::sendable_at!("greatest" $lane)
    };
    (sqlite $lane:literal) => {
        $crate::lane::rules::sendable_at!("max" $lane)
    };
    ($greatest:literal $lane:literal) => {
        concat!(
            $lane,
            ".state = 'active' AND ",
            $greatest,
            "(",
            $lane,
            ".blocked_until, ",
            $lane,
            ".breaker_until) <= "
        )
    };
}

/// Whether lane `$lane` is healthy, so that a delivery that is accepted for it may be handed over: it is active, nothing limits
/// it, and it has no backlog and was not asked to wait at the time that the statement names next.
macro_rules! healthy_at {
    (postgres $lane:literal) => {
        $crate::lane::rules::healthy_at!("greatest" $lane)
    };
    (sqlite $lane:literal) => {
        $crate::lane::rules::healthy_at!("max" $lane)
    };
    ($greatest:literal $lane:literal) => {
        concat!(
            $lane,
            ".state = 'active' AND ",
            $crate::lane::rules::unlimited!($lane),
            " AND ",
            $greatest,
            "(",
            $lane,
            ".backlog_until, ",
            $lane,
            ".blocked_until) <= "
        )
    };
}

/// Whether delivery or upload `$row` may be claimed at the time `$now`: it is due and has no live lease.
macro_rules! eligible {
    ($row:literal, $now:expr) => {
        concat!($row, ".due_at <= ", $now, " AND ", $row, ".lease_until <= ", $now)
    };
}

/// The recursive walk over the lanes behind `$after` that have open deliveries, at most `$most`: it jumps from lane to lane
/// along the index (lane_id, due_at, id). The last row may have no lane.
macro_rules! lane_walk {
    ($after:literal, $most:literal) => {
        concat!(
            "WITH RECURSIVE passed (lane_id, n) AS (
                SELECT * FROM (SELECT lane_id, 1 FROM delivery WHERE lane_id > ",
            $after,
            " ORDER BY lane_id LIMIT 1) AS first
                UNION ALL
                SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
                FROM passed WHERE passed.lane_id IS NOT NULL AND n < ",
            $most,
            ")"
        )
    };
}

/// The condition of the index `lane_off`: the lane is paused, disabled or deleted, or its breaker is not closed.
macro_rules! off {
    () => {
        "(l.state <> 'active' OR l.breaker_until > 0)"
    };
}

/// What waits for the lane is held: it is paused or disabled. Found by the index `lane_off`.
macro_rules! held {
    () => {
        concat!($crate::lane::rules::off!(), " AND l.state IN ('paused', 'disabled')")
    };
}

/// The lane is active and its breaker is not closed. Found by the index `lane_off`.
macro_rules! broken {
    () => {
        concat!($crate::lane::rules::off!(), " AND l.state = 'active'")
    };
}

pub(crate) use {broken, eligible, healthy_at, held, lane_walk, off, sendable_at, unlimited};
