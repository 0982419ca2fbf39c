//! Counts received calls, per message and in total.

use std::collections::{BTreeMap, HashMap};

use domain::signature::VerifyError;

use receiver::Call;

/// Most messages that are distinguished; beyond it counting restarts.
const MAX_MESSAGES: usize = 100_000;
/// Longest `webhook-id` that is counted, in bytes.
const MAX_ID: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: HashMap<String, u32>,
    calls: u64,
    messages: u64,
    invalid: u64,
    checked: bool,
    answers: BTreeMap<u16, u64>,
}

impl Tally {
    /// Counts a call; returns how often its message has arrived, if the call has an id.
    pub(super) fn count(&mut self, call: &Call, verdict: Option<&Result<(), VerifyError>>) -> Option<u32> {
        self.calls += 1;
        self.checked |= verdict.is_some();
        self.invalid += u64::from(verdict.is_some_and(Result::is_err));
        *self.answers.entry(call.answered).or_default() += 1;
        let id = call.webhook_id().filter(|id| id.len() <= MAX_ID)?;
        if self.seen.len() >= MAX_MESSAGES && !self.seen.contains_key(id) {
            self.seen.clear();
        }
        let times = self.seen.entry(id.to_owned()).or_default();
        *times += 1;
        self.messages += u64::from(*times == 1);
        Some(*times)
    }

    /// Counts calls that were missed.
    pub(super) fn missed(&mut self, calls: u64) {
        self.calls += calls;
    }

    /// Returns the summary line.
    pub(super) fn sum(&self) -> String {
        let answers: Vec<String> =
            self.answers.iter().map(|(status, times)| format!("{status} × {times}")).collect();
        let signatures = match (self.checked, self.invalid) {
            (false, _) => String::new(),
            (true, 0) => ", every signature valid".to_owned(),
            (true, invalid) => format!(", {invalid} with an INVALID signature"),
        };
        let answered =
            if answers.is_empty() { String::new() } else { format!("; answered {}", answers.join(", ")) };
        format!("{} of {}{signatures}{answered}", count(self.calls, "call"), count(self.messages, "message"))
    }
}

fn count(number: u64, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    fn call(id: &str, answered: u16) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().expect("a value"));
        Call {
            method: Method::POST,
            path: "/".to_owned(),
            headers,
            body: Bytes::new(),
            at: Instant::now(),
            answered,
        }
    }

    #[test]
    fn messages_are_told_apart_and_summed_up() {
        let mut tally = Tally::default();
        assert_eq!(tally.sum(), "0 calls of 0 messages");
        assert_eq!(tally.count(&call("a", 500), Some(&Ok(()))), Some(1));
        assert_eq!(tally.count(&call("a", 200), Some(&Ok(()))), Some(2));
        assert_eq!(tally.sum(), "2 calls of 1 message, every signature valid; answered 200 × 1, 500 × 1");
        assert_eq!(tally.count(&call("b", 200), Some(&Err(VerifyError::NoMatch))), Some(1));
        assert_eq!(
            tally.sum(),
            "3 calls of 2 messages, 1 with an INVALID signature; answered 200 × 2, 500 × 1"
        );
    }

    #[test]
    fn ids_are_counted_up_to_the_bounds() {
        let mut tally = Tally::default();
        assert_eq!(tally.count(&call(&"x".repeat(MAX_ID), 200), None), Some(1));
        assert_eq!(tally.count(&call(&"x".repeat(MAX_ID + 1), 200), None), None);
        for number in 1..MAX_MESSAGES {
            tally.count(&call(&number.to_string(), 200), None);
        }
        assert_eq!(tally.seen.len(), MAX_MESSAGES);
        assert_eq!(tally.count(&call("1", 200), None), Some(2), "known ones need no room");
        tally.count(&call("one more", 200), None);
        assert_eq!(tally.seen.len(), 1);
    }
}
