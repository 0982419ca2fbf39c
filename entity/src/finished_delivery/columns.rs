//! The columns of a finished delivery, for the statements that move deliveries there.

/// Those that every move fills.
macro_rules! columns {
    () => {
        "id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason, position, attempts, claim, created_at,
            finished_at"
    };
}

/// Those of the attempt that is kept with it: the first one, when it succeeded.
macro_rules! attempt_columns {
    () => {
        "started_at, duration_us, resolve_us, connect_us, first_byte_us, status_code, request_headers, response_headers,
            response_body"
    };
}

pub(crate) use {attempt_columns, columns};
