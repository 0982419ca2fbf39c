//! What was accepted and what arrived, by a number that each event and each file carries.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Numbers handed out at most.
const MOST: usize = 1_000_000;
/// What stands before a number and after it, in bodies and in names of files.
const MARK: &[u8] = b"chaos-";

/// The book. Knows every number it handed out.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    accepted: Option<Instant>,
    arrived: Option<Instant>,
    calls: u32,
}

/// What the book comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Requests made.
    pub(super) asked: usize,
    /// Those that were answered with a 2xx.
    pub(super) accepted: usize,
    /// Accepted ones that arrived.
    pub(super) arrived: usize,
    /// Accepted ones that did not.
    pub(super) missing: Vec<usize>,
    /// Numbers that arrived more than once.
    pub(super) twice: usize,
    /// Arrived, though nobody was told that they were accepted.
    pub(super) unannounced: usize,
    /// The longest time from accept to arrival.
    pub(super) slowest: Duration,
}

impl Ledger {
    /// The next number; none when the book is full.
    pub(super) fn next(&self) -> Option<usize> {
        let mut entries = self.entries.lock().expect("nobody panics with it");
        entries.push(Entry::default());
        (entries.len() <= MOST).then_some(entries.len() - 1)
    }

    /// How a number is carried.
    pub(super) fn name(number: usize) -> String {
        format!("chaos-{number}.txt")
    }

    /// A 2xx was read.
    pub(super) fn accepted(&self, number: usize) {
        self.entries.lock().expect("nobody panics with it")[number].accepted = Some(Instant::now());
    }

    /// A call came in.
    pub(super) fn arrived(&self, body: &[u8]) {
        let mut entries = self.entries.lock().expect("nobody panics with it");
        let Some(entry) = number_in(body).and_then(|number| entries.get_mut(number)) else { return };
        entry.calls += 1;
        entry.arrived.get_or_insert_with(Instant::now);
    }

    /// Numbers handed out so far.
    pub(super) fn handed_out(&self) -> usize {
        self.entries.lock().expect("nobody panics with it").len()
    }

    /// How long after `moment` the first arrived of those accepted with numbers from `first` on.
    pub(super) fn first_arrival_of(&self, first: usize, moment: Instant) -> Option<Duration> {
        let entries = self.entries.lock().expect("nobody panics with it");
        let later = entries.iter().skip(first).filter(|entry| entry.accepted.is_some());
        later.filter_map(|entry| entry.arrived).min().map(|at| at.saturating_duration_since(moment))
    }

    /// The balance so far.
    pub(super) fn sums(&self) -> Sums {
        let entries = self.entries.lock().expect("nobody panics with it");
        let mut sums = Sums { asked: entries.len(), ..Sums::default() };
        for (number, entry) in entries.iter().enumerate() {
            sums.twice += usize::from(entry.calls > 1);
            match (entry.accepted, entry.arrived) {
                (Some(accepted), Some(arrived)) => {
                    sums.arrived += 1;
                    sums.slowest = sums.slowest.max(arrived.saturating_duration_since(accepted));
                }
                (Some(_), None) => sums.missing.push(number),
                (None, Some(_)) => sums.unannounced += 1,
                (None, None) => {}
            }
            sums.accepted += usize::from(entry.accepted.is_some());
        }
        sums
    }
}

fn number_in(body: &[u8]) -> Option<usize> {
    let start = body.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = body[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&body[start..start + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(number: usize) -> Vec<u8> {
        format!("{{\"data\":{{\"file_name\":\"{}\"}}}}", Ledger::name(number)).into_bytes()
    }

    #[test]
    fn what_was_accepted_and_did_not_arrive_is_missing() {
        let ledger = Ledger::default();
        let numbers: Vec<usize> = (0..4).filter_map(|_| ledger.next()).collect();
        numbers[..2].iter().for_each(|number| ledger.accepted(*number));
        ledger.arrived(&body(numbers[1]));
        ledger.arrived(&body(numbers[1]));
        ledger.arrived(&body(numbers[2]));
        let sums = ledger.sums();
        assert_eq!((sums.asked, sums.accepted, sums.arrived, sums.twice), (4, 2, 1, 1));
        assert_eq!((sums.missing, sums.unannounced), (vec![numbers[0]], 1));
    }

    #[test]
    fn strange_bodies_are_nobodys() {
        let ledger = Ledger::default();
        ledger.next();
        for body in
            [&b"chaos-"[..], b"", b"chaos-x.txt", b"chaos-1.txt", b"chaos-99999999999999999999999.txt"]
        {
            ledger.arrived(body);
        }
        assert_eq!(ledger.sums().unannounced, 0);
    }

    #[test]
    fn recovery_is_the_first_arrival_of_what_was_accepted_afterwards() {
        let (ledger, moment) = (Ledger::default(), Instant::now());
        let (before, after) = (ledger.next().expect("room"), ledger.next().expect("room"));
        ledger.accepted(before);
        ledger.arrived(&body(before));
        assert_eq!(ledger.first_arrival_of(after, moment), None);
        ledger.accepted(after);
        ledger.arrived(&body(after));
        assert!(ledger.first_arrival_of(after, moment).is_some());
    }
}
