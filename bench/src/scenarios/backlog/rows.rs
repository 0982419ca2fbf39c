//! Rows that were there before, made by SQL: due ones in paused lanes, and finished ones of the last day.

use std::ops::Range;

use testkit::rows::Rows;

use crate::cluster::Store;

/// Rows of one statement.
const STEP: u64 = 100_000;
/// The lanes' ids are this and their number.
const LANE: &str = "0197000000007000800000000000";

/// For each lane its deliveries of these numbers, an hour overdue, with their events.
pub(super) async fn add_due(store: &Store, lanes: u64, numbers: Range<u64>) {
    let (first, count) = (numbers.start * lanes, (numbers.end - numbers.start) * lanes);
    let dialect = Dialect::from_rows(&store.rows);
    for lane in 0..lanes {
        store.rows.change(&dialect.lane(lane)).await;
    }
    for (from, to) in steps(first, first + count) {
        for sql in dialect.due(from, to, lanes) {
            store.rows.change(&sql).await;
        }
    }
}

/// Deliveries that succeeded in the last day, each with its event and its attempt. Then the servers' own upkeep of so many new
/// rows, which a day would have spread out.
pub(super) async fn add_old(store: &Store, count: u64) {
    let dialect = Dialect::from_rows(&store.rows);
    for (from, to) in steps(0, count) {
        for sql in dialect.old(from, to, count) {
            store.rows.change(&sql).await;
        }
    }
    for sql in dialect.upkeep() {
        store.rows.change(sql).await;
    }
}

fn steps(first: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
    (first..end).step_by(STEP as usize).map(move |from| (from, (from + STEP).min(end)))
}

#[derive(Clone, Copy, Debug)]
enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    const fn from_rows(rows: &Rows) -> Self {
        match rows {
            Rows::Postgres(_) => Self::Postgres,
            Rows::Sqlite(_) => Self::Sqlite,
        }
    }

    fn lane(self, number: u64) -> String {
        let id = self.uuid(&format!("'{LANE}' || '{number:04x}'"));
        format!(
            "INSERT INTO lane (id, channel, state) VALUES ({id}, 'webhook', 'paused') ON CONFLICT DO NOTHING"
        )
    }

    fn due(self, from: u64, to: u64, lanes: u64) -> [String; 2] {
        let (rows, now) = (self.numbers(from, to), self.now());
        let id = self.id_at(&format!("{now} - 3600000 + n % 1000"), "d");
        let lane = self.uuid(&format!("'{LANE}' || {}", self.hex4(&format!("n % {lanes}"))));
        let event = format!(
            "INSERT INTO event (id, user_id, event_type, body, created_at) \
             SELECT {id}, 1, 'bench.event', {}, {now} FROM {rows}",
            self.body()
        );
        let delivery = format!(
            "INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, due_at, created_at) \
             SELECT {id}, {id}, 1, {lane}, 'webhook', {lane}, {now} - 3600000, {now} - 3600000 FROM {rows}"
        );
        [event, delivery]
    }

    fn old(self, from: u64, to: u64, count: u64) -> [String; 3] {
        let (rows, now) = (self.numbers(from, to), self.now());
        let at = format!("({now} - 86400000 + n * 82000000 / {count})");
        let id = self.id_at(&at, "0");
        let lane = self.uuid(&format!("'{LANE}' || '0000'"));
        [
            format!(
                "INSERT INTO event (id, user_id, event_type, body, created_at) \
                 SELECT {id}, 1, 'bench.event', {}, {at} FROM {rows}",
                self.body()
            ),
            format!(
                "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, state, \
                 position, attempts, claim, created_at, finished_at) \
                 SELECT {id}, {id}, 1, {lane}, 'webhook', {lane}, 'succeeded', 0, 1, 1, {at}, {at} FROM {rows}"
            ),
            format!(
                "INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, status_code, \
                 request_headers) SELECT {id}, {id}, 1, 1, {at}, 900, 204, '{{}}' FROM {rows}"
            ),
        ]
    }

    const fn upkeep(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["VACUUM (ANALYZE)", "CHECKPOINT"],
            Self::Sqlite => &["ANALYZE"],
        }
    }

    /// Rows with one column, `n`.
    fn numbers(self, from: u64, to: u64) -> String {
        let last = to - 1;
        match self {
            Self::Postgres => format!("generate_series({from}::bigint, {last}::bigint) AS n"),
            Self::Sqlite => format!(
                "(WITH RECURSIVE i (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM i WHERE n < {last}) \
                 SELECT n FROM i)"
            ),
        }
    }

    const fn now(self) -> &'static str {
        match self {
            Self::Postgres => "now_ms()",
            // The second that the statement began in.
            Self::Sqlite => "(CAST(strftime('%s', 'now') AS INTEGER) * 1000)",
        }
    }

    /// A UUIDv7 of a time in ms; the number `n` and one hex digit tell those of one ms apart.
    fn id_at(self, ms: &str, digit: &str) -> String {
        match self {
            Self::Postgres => self.uuid(&format!(
                "lpad(to_hex({ms}), 12, '0') || '7000800' || '{digit}' || lpad(to_hex(n), 12, '0')"
            )),
            Self::Sqlite => self.uuid(&format!("printf('%012x7000800{digit}%012x', {ms}, n)")),
        }
    }

    fn hex4(self, number: &str) -> String {
        match self {
            Self::Postgres => format!("lpad(to_hex({number}), 4, '0')"),
            Self::Sqlite => format!("printf('%04x', {number})"),
        }
    }

    fn uuid(self, hex: &str) -> String {
        match self {
            Self::Postgres => format!("({hex})::uuid"),
            Self::Sqlite => format!("unhex({hex})"),
        }
    }

    /// A hundred bytes.
    const fn body(self) -> &'static str {
        match self {
            Self::Postgres => "convert_to(repeat('x', 100), 'UTF8')",
            Self::Sqlite => "zeroblob(100)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_every_row_once() {
        let steps: Vec<_> = steps(5, 250_005).collect();
        assert_eq!(steps, [(5, 100_005), (100_005, 200_005), (200_005, 250_005)]);
        assert_eq!(super::steps(0, 0).count(), 0);
    }
}
