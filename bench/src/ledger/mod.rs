//! The ledger of a run: requested, accepted and delivered work, by a number that each request carries. The number is found
//! anywhere in a body, also when the platform under test nests or escapes it.

mod entry;
mod sums;
#[cfg(test)]
mod tests;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use entry::{Entry, micros};
pub(crate) use sums::Sums;

/// Most numbers.
const MOST: usize = 16_000_000;
/// Digits of a label: its mark, then the number with leading zeros. Together below 2^53, so that a label survives as a JSON number.
const MARK_DIGITS: usize = 6;
const NUMBER_DIGITS: usize = 9;
const MARKS: u64 = 800_000;
const FIRST_MARK: u64 = 100_000;

/// Records every number it handed out. Times are in microseconds.
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
