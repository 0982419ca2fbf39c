//! The ledger of a run: what was asked for, accepted and delivered, by a number that each request carries. The number is
//! found wherever it appears in a body, also when the platform under test nests or escapes what it was given.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::measure::Histogram;

/// Numbers handed out at most.
const MOST: usize = 16_000_000;
/// Digits of a label: its mark, then the number with leading zeros. Together below 2^53, so that a label survives as a JSON number.
const MARK_DIGITS: usize = 6;
const NUMBER_DIGITS: usize = 9;
const MARKS: u64 = 800_000;
const FIRST_MARK: u64 = 100_000;

/// Knows every number it handed out. All times are kept in microseconds.
pub(crate) struct Ledger {
    begun: Instant,
    /// Six digits that begin every label, random for each ledger, so that other numbers in a body are not mistaken for labels.
    mark: String,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// The number of the first entry; those before are forgotten.
    first: usize,
    entries: Vec<Entry>,
    /// Accepted entries that have not arrived.
    outstanding: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    asked: u64,
    status: Option<u16>,
    accepted: Option<u64>,
    arrived: Option<u64>,
    calls: u32,
}

/// The sums of a ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Requests made.
    pub(crate) asked: u64,
    /// Those that were answered with a 2xx.
    pub(crate) accepted: u64,
    /// Accepted ones that arrived.
    pub(crate) arrived: u64,
    /// Accepted ones that did not.
    pub(crate) missing: Vec<usize>,
    /// How many requests were refused, by status; without one, the connection broke or the answer is still to come.
    pub(crate) refused: BTreeMap<Option<u16>, u64>,
    /// Numbers that arrived more than once.
    pub(crate) twice: u64,
    /// Numbers that arrived without a 2xx.
    pub(crate) unannounced: u64,
    /// The longest time from accept to arrival.
    pub(crate) slowest: Duration,
    /// From request to answer, of accepted ones.
    pub(crate) accept: Histogram,
    /// From request to first arrival, of accepted ones.
    pub(crate) arrival: Histogram,
    /// From the first request to the last answer, and to the last first arrival.
    pub(crate) accepted_within: Duration,
    pub(crate) arrived_within: Duration,
}

impl Ledger {
    /// Without an entry.
    pub(crate) fn new() -> Self {
        let mark = (FIRST_MARK + Uuid::now_v7().as_u64_pair().1 % MARKS).to_string();
        Self { begun: Instant::now(), mark, book: Mutex::default() }
    }

    /// Forgets all numbers so far: a measurement begins.
    pub(crate) fn begin(&self) {
        let mut book = self.book();
        let first = book.first + book.entries.len();
        *book = Book { first, ..Book::default() };
    }

    /// Hands out the next number: its request is made now. None when the ledger is full.
    pub(crate) fn next(&self) -> Option<usize> {
        let asked = self.now();
        let mut book = self.book();
        if book.entries.len() >= MOST {
            return None;
        }
        book.entries.push(Entry { asked, ..Entry::default() });
        Some(book.next() - 1)
    }

    /// The digits by which a number is found in a body.
    pub(crate) fn label(&self, number: usize) -> String {
        format!("{}{number:0NUMBER_DIGITS$}", self.mark)
    }

    /// Records the status of an answer, or that none came; returns whether the request was accepted.
    pub(crate) fn answered(&self, number: usize, status: Option<u16>) -> bool {
        let (now, accepted) = (self.now(), status.is_some_and(|status| (200..300).contains(&status)));
        let mut book = self.book();
        if let Some(entry) = book.entry(number) {
            entry.status = status;
            entry.accepted = accepted.then_some(now);
            let is_open = accepted && entry.arrived.is_none();
            book.outstanding += u64::from(is_open);
        }
        accepted
    }

    /// Records a call, by the first label in its body; a body without one belongs to no entry.
    pub(crate) fn arrived(&self, body: &[u8]) {
        let now = self.now();
        let Some(number) = self.number_in(body) else { return };
        let mut book = self.book();
        if let Some(entry) = book.entry(number) {
            entry.calls += 1;
            let was_open = entry.accepted.is_some() && entry.arrived.is_none();
            entry.arrived.get_or_insert(now);
            book.outstanding -= u64::from(was_open);
        }
    }

    /// The number that is handed out next.
    pub(crate) fn upcoming(&self) -> usize {
        self.book().next()
    }

    /// How many were accepted and have not arrived.
    pub(crate) fn outstanding(&self) -> u64 {
        self.book().outstanding
    }

    /// How long after `moment` the first arrived of those accepted with numbers from `first` on.
    pub(crate) fn first_arrival_of(&self, first: usize, moment: Instant) -> Option<Duration> {
        let book = self.book();
        let later = book.entries.iter().skip(first.saturating_sub(book.first));
        let arrived =
            later.filter(|entry| entry.accepted.is_some()).filter_map(|entry| entry.arrived).min()?;
        Some((self.begun + micros(arrived)).saturating_duration_since(moment))
    }

    /// The sums of all entries.
    pub(crate) fn sums(&self) -> Sums {
        let book = self.book();
        let mut sums = Sums::default();
        let start = book.entries.first().map_or(0, |entry| entry.asked);
        for (place, entry) in book.entries.iter().enumerate() {
            sums.add(book.first + place, entry, start);
        }
        sums
    }

    fn number_in(&self, body: &[u8]) -> Option<usize> {
        let label = body.windows(MARK_DIGITS + NUMBER_DIGITS).find(|window| self.is_label(window))?;
        std::str::from_utf8(&label[MARK_DIGITS..]).ok()?.parse().ok()
    }

    fn is_label(&self, window: &[u8]) -> bool {
        window.starts_with(self.mark.as_bytes()) && window.iter().all(u8::is_ascii_digit)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    const fn next(&self) -> usize {
        self.first + self.entries.len()
    }

    fn entry(&mut self, number: usize) -> Option<&mut Entry> {
        self.entries.get_mut(number.checked_sub(self.first)?)
    }
}

impl Sums {
    fn add(&mut self, number: usize, entry: &Entry, start: u64) {
        self.asked += 1;
        self.twice += u64::from(entry.calls > 1);
        let Some(accepted) = entry.accepted else {
            *self.refused.entry(entry.status).or_default() += 1;
            self.unannounced += u64::from(entry.arrived.is_some());
            return;
        };
        self.accepted += 1;
        self.accept.note(micros(accepted - entry.asked));
        self.accepted_within = self.accepted_within.max(micros(accepted - start));
        let Some(arrived) = entry.arrived else {
            self.missing.push(number);
            return;
        };
        self.arrived += 1;
        self.slowest = self.slowest.max(micros(arrived.saturating_sub(accepted)));
        self.arrival.note(micros(arrived.saturating_sub(entry.asked)));
        self.arrived_within = self.arrived_within.max(micros(arrived.saturating_sub(start)));
    }
}

const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(ledger: &Ledger, number: usize) -> Vec<u8> {
        format!("{{\"data\":{{\"file_name\":\"chaos-{}.txt\"}}}}", ledger.label(number)).into_bytes()
    }

    #[test]
    fn accepted_numbers_that_did_not_arrive_are_missing() {
        let ledger = Ledger::new();
        let numbers: Vec<usize> = (0..4).filter_map(|_| ledger.next()).collect();
        numbers[..2].iter().for_each(|number| assert!(ledger.answered(*number, Some(202))));
        assert!(!ledger.answered(numbers[3], Some(503)));
        ledger.arrived(&body(&ledger, numbers[1]));
        ledger.arrived(&body(&ledger, numbers[1]));
        ledger.arrived(&body(&ledger, numbers[2]));
        let sums = ledger.sums();
        assert_eq!((sums.asked, sums.accepted, sums.arrived, sums.twice), (4, 2, 1, 1));
        assert_eq!((sums.missing, sums.unannounced), (vec![numbers[0]], 1));
        assert_eq!(sums.refused, BTreeMap::from([(None, 1), (Some(503), 1)]));
        assert_eq!(ledger.outstanding(), 1);
    }

    #[test]
    fn a_number_is_found_nested_escaped_or_bare() {
        let ledger = Ledger::new();
        let number = (0..12).filter_map(|_| ledger.next()).last().expect("numbers");
        ledger.answered(number, Some(202));
        let label = ledger.label(number);
        let bodies = [
            format!("{{\"payload\":\"{{\\\"n\\\":\\\"{label}\\\"}}\",\"at\":1732780000123456}}"),
            format!("{{\"n\":{label}}}"),
            label,
        ];
        bodies.iter().for_each(|body| ledger.arrived(body.as_bytes()));
        assert_eq!((ledger.sums().arrived, ledger.sums().twice), (1, 1));
    }

    #[test]
    fn forgotten_numbers_count_no_more() {
        let ledger = Ledger::new();
        let before = ledger.next().expect("room");
        ledger.answered(before, Some(200));
        ledger.begin();
        let after = ledger.next().expect("room");
        ledger.answered(after, Some(200));
        ledger.arrived(&body(&ledger, before));
        assert_eq!((ledger.sums().asked, ledger.outstanding(), ledger.upcoming()), (1, 1, 2));
        ledger.arrived(&body(&ledger, after));
        assert_eq!((ledger.sums().arrived, ledger.outstanding()), (1, 0));
    }

    #[test]
    fn a_label_is_exact_as_a_json_number() {
        let ledger = Ledger::new();
        let label: u64 = ledger.label(999_999_999).parse().expect("digits");
        assert!(label < 1 << 53);
        assert_eq!(ledger.label(0).len(), MARK_DIGITS + NUMBER_DIGITS);
    }

    #[test]
    fn bodies_without_a_label_belong_to_no_entry() {
        let ledger = Ledger::new();
        ledger.next();
        let mark = ledger.mark.clone();
        for body in [mark.clone(), String::new(), format!("{mark}00000000x"), format!("{mark}000000007")] {
            ledger.arrived(body.as_bytes());
        }
        assert_eq!(ledger.sums().unannounced, 0);
    }

    #[test]
    fn recovery_is_the_first_arrival_of_what_was_accepted_afterwards() {
        let (ledger, moment) = (Ledger::new(), Instant::now());
        let (before, after) = (ledger.next().expect("room"), ledger.next().expect("room"));
        ledger.answered(before, Some(202));
        ledger.arrived(&body(&ledger, before));
        assert_eq!(ledger.first_arrival_of(after, moment), None);
        ledger.answered(after, Some(202));
        ledger.arrived(&body(&ledger, after));
        assert!(ledger.first_arrival_of(after, moment).is_some());
    }
}
