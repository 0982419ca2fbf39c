//! One attempt, ready to be rendered: what was sent, what came back, where the time went.

use domain::clock::Millis;
use entity::attempt::Model;
use uuid::Uuid;

use crate::format::{
    badge::{Badge, Tone},
    body::Body,
    headers::{self, Header},
    number::microseconds,
    time::Moment,
};

/// An attempt on a delivery's page.
pub(super) struct AttemptView {
    pub(super) id: Uuid,
    pub(super) number: i32,
    pub(super) open: bool,
    pub(super) badge: Badge,
    pub(super) error: Option<String>,
    pub(super) error_class: Option<String>,
    pub(super) started: Moment,
    pub(super) duration: String,
    pub(super) phases: Vec<Phase>,
    pub(super) request_headers: Vec<Header>,
    pub(super) response_headers: Vec<Header>,
    pub(super) response_body: Option<Body>,
}

/// A stretch of an attempt's time, as a piece of a bar that is 1,000 wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) took: String,
    pub(super) x: i64,
    pub(super) width: i64,
}

impl AttemptView {
    pub(super) fn of(row: &Model, open: bool, now: Millis) -> Self {
        Self {
            id: row.id,
            number: row.number,
            open,
            badge: badge(row),
            error: row.error.clone(),
            error_class: row.error_class.clone(),
            started: Moment::new(Millis(row.started_at), now),
            duration: microseconds(row.duration_us),
            phases: phases(row),
            request_headers: headers::read(&row.request_headers),
            response_headers: row.response_headers.as_deref().map(headers::read).unwrap_or_default(),
            response_body: row.response_body.as_deref().map(Body::of),
        }
    }
}

fn badge(row: &Model) -> Badge {
    let tone = if row.error_class.is_none() { Tone::Good } else { Tone::Bad };
    match (row.status_code, row.error_class.as_deref()) {
        (Some(status), _) => Badge::new(tone, status.to_string()),
        (None, Some(class)) => Badge::new(tone, class.replace('_', " ")),
        (None, None) => Badge::new(tone, "accepted"),
    }
}

/// Splits the whole into what was measured of it; the first byte is counted from the start.
fn phases(row: &Model) -> Vec<Phase> {
    let whole = row.duration_us.max(1);
    let (resolve, connect) = (row.resolve_us.unwrap_or(0).max(0), row.connect_us.unwrap_or(0).max(0));
    let first_byte = row.first_byte_us.unwrap_or(whole).min(whole);
    let wait = (first_byte - resolve - connect).max(0);
    let rest = whole - first_byte;
    let spans = [
        ("Name", "name", row.resolve_us.map(|_| resolve)),
        ("Connect and TLS", "connect", row.connect_us.map(|_| connect)),
        ("Waiting", "wait", Some(wait)),
        ("Reading", "read", row.first_byte_us.map(|_| rest)),
    ];
    let mut x = 0;
    let phase = |(name, class, took): (&'static str, &'static str, Option<i64>)| {
        let took = took?;
        let width = (took.saturating_mul(1_000) / whole).min(1_000 - x);
        x += width;
        Some(Phase { name, class, took: microseconds(took), x: x - width, width })
    };
    spans.into_iter().filter_map(phase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Model {
        Model {
            id: Uuid::nil(),
            delivery_id: Uuid::nil(),
            number: 1,
            claim: 1,
            started_at: 0,
            duration_us: 10_000,
            resolve_us: Some(1_000),
            connect_us: Some(2_000),
            first_byte_us: Some(9_000),
            status_code: Some(200),
            error_class: None,
            error: None,
            request_headers: "{}".to_owned(),
            response_headers: None,
            response_body: None,
        }
    }

    fn widths(row: &Model) -> Vec<(&'static str, i64, i64)> {
        phases(row).into_iter().map(|phase| (phase.class, phase.x, phase.width)).collect()
    }

    #[test]
    fn the_pieces_of_the_bar_fill_it() {
        assert_eq!(
            widths(&row()),
            [("name", 0, 100), ("connect", 100, 200), ("wait", 300, 600), ("read", 900, 100)]
        );
    }

    #[test]
    fn a_reused_connection_has_neither_name_nor_connect() {
        let reused = Model { resolve_us: None, connect_us: None, ..row() };
        assert_eq!(widths(&reused), [("wait", 0, 900), ("read", 900, 100)]);
        let timed_out = Model { first_byte_us: None, ..reused };
        assert_eq!(widths(&timed_out), [("wait", 0, 1_000)]);
    }

    #[test]
    fn odd_measurements_never_leave_the_bar() {
        let odd = Model { duration_us: 0, resolve_us: Some(-5), connect_us: Some(i64::MAX / 2), ..row() };
        assert!(widths(&odd).iter().all(|(_, x, width)| *x >= 0 && *width >= 0 && x + width <= 1_000));
    }

    #[test]
    fn the_pill_shows_the_status_or_else_what_broke() {
        assert_eq!(badge(&row()), Badge::new(Tone::Good, "200"));
        let refused = Model { status_code: None, error_class: Some("connect_timeout".to_owned()), ..row() };
        assert_eq!(badge(&refused), Badge::new(Tone::Bad, "connect timeout"));
    }
}
