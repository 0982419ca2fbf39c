//! The six numbers on top of the overview, and what is said under each.

use entity::{
    bounded::{Bounded, COUNT_LIMIT},
    delivery::{backlog::Backlog, totals::Totals},
};

use crate::{
    format::{
        number::{bounded, grouped, percent},
        time::Moment,
    },
    live::snapshot::Snapshot,
};

/// A number with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Its name in the page.
    pub(super) id: &'static str,
    /// What it counts.
    pub(super) label: &'static str,
    /// The number.
    pub(super) value: String,
    /// What to know about it.
    pub(super) hint: String,
    /// A time that belongs to the hint.
    pub(super) since: Option<Moment>,
    /// `calm`, `warn` or `bad`.
    pub(super) tone: &'static str,
}

/// The tiles of a snapshot.
pub(super) fn tiles(snapshot: &Snapshot) -> Vec<Tile> {
    let (totals, backlog) = (&snapshot.totals, &snapshot.backlog);
    let in_flight = in_flight(snapshot);
    let oldest = backlog.oldest_due_at.map(|at| Moment::new(at, snapshot.at));
    vec![
        tile("accepted", "Accepted", totals.accepted, "events in 24 hours".to_owned(), "calm"),
        tile("delivered", "Delivered", totals.delivered, delivered_hint(totals), "calm"),
        Tile { since: oldest, ..tile("due", "Due now", backlog.due, due_hint(backlog), "calm") },
        tile("in-flight", "In flight", in_flight, format!("of {} open", bounded(backlog.open)), "calm"),
        tile(
            "failing",
            "Failing",
            backlog.failing,
            failing_hint(backlog.failing),
            tone(backlog.failing, "warn"),
        ),
        tile(
            "dead",
            "Dead letters",
            totals.dead_letters,
            dead_hint(totals),
            tone(totals.dead_letters, "bad"),
        ),
    ]
}

fn tile(id: &'static str, label: &'static str, value: Bounded, hint: String, tone: &'static str) -> Tile {
    Tile { id, label, value: bounded(value), hint, since: None, tone }
}

const fn tone(count: Bounded, alarming: &'static str) -> &'static str {
    if count.is_zero() { "calm" } else { alarming }
}

/// Leases as long as the walk over open deliveries saw all of them; else what the processes say.
fn in_flight(snapshot: &Snapshot) -> Bounded {
    if !snapshot.backlog.open.more {
        return snapshot.backlog.sending;
    }
    let alive = snapshot.processes.iter().filter(|process| !process.lost);
    let said: u64 = alive.map(|process| u64::try_from(process.said.in_flight).unwrap_or(0)).sum();
    Bounded { count: said.min(COUNT_LIMIT), more: said > COUNT_LIMIT }
}

fn delivered_hint(totals: &Totals) -> String {
    let (delivered, given_up) = (totals.delivered.count, totals.given_up.count);
    match delivered + given_up {
        0 => "in 24 hours".to_owned(),
        ended => format!("{} succeeded", percent(delivered, ended)),
    }
}

fn due_hint(backlog: &Backlog) -> String {
    let held = match backlog.held {
        held if held.is_zero() => String::new(),
        held => format!("{} held", bounded(held)),
    };
    match (backlog.oldest_due_at, held.as_str()) {
        (None, "") => "nothing waits".to_owned(),
        (None, held) => held.to_owned(),
        (Some(_), "") => "oldest".to_owned(),
        (Some(_), held) => format!("{held}, oldest"),
    }
}

fn failing_hint(failing: Bounded) -> String {
    if failing.is_zero() { "nothing to retry".to_owned() } else { "will be tried again".to_owned() }
}

fn dead_hint(totals: &Totals) -> String {
    match (totals.dead_letters.is_zero(), totals.given_up.count) {
        (true, _) => "nothing given up on".to_owned(),
        (false, 0) => "none in 24 hours".to_owned(),
        (false, lately) => format!("{} in 24 hours", grouped(lately)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(count: u64) -> Bounded {
        Bounded { count, more: false }
    }

    #[test]
    fn the_share_is_of_what_ended() {
        let totals = |delivered, given_up| Totals {
            delivered: count(delivered),
            given_up: count(given_up),
            ..Totals::default()
        };
        assert_eq!(delivered_hint(&totals(0, 0)), "in 24 hours");
        assert_eq!(delivered_hint(&totals(999, 1)), "99.9 % succeeded");
    }

    #[test]
    fn held_and_oldest_are_told_when_there_are_any() {
        let backlog =
            |held, oldest| Backlog { held: count(held), oldest_due_at: oldest, ..Backlog::default() };
        let at = Some(domain::clock::Millis(1));
        assert_eq!(due_hint(&backlog(0, None)), "nothing waits");
        assert_eq!(due_hint(&backlog(2, None)), "2 held");
        assert_eq!(due_hint(&backlog(0, at)), "oldest");
        assert_eq!(due_hint(&backlog(2, at)), "2 held, oldest");
    }
}
