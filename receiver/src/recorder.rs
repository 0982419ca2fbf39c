//! Recorded calls and the script of answers, behind one lock that is never held across an await.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{broadcast, watch};

use super::{Answer, Call};

/// Most calls that are kept.
pub const MAX_CALLS: usize = 100_000;
/// Most bytes of bodies that are kept.
pub const MAX_BODIES_BYTES: usize = 256 * 1_024 * 1_024;
/// Calls that a subscriber may lag behind.
const LAG: usize = 1_024;

pub(super) struct Recorder {
    state: Mutex<State>,
    counts: watch::Sender<usize>,
    calls: broadcast::Sender<Call>,
    max_calls: usize,
    max_bytes: usize,
}

struct State {
    kept: VecDeque<Call>,
    bytes: usize,
    script: VecDeque<Answer>,
    always: Answer,
    only_at: Option<String>,
    by_path: HashMap<String, VecDeque<Answer>>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self::with_bounds(MAX_CALLS, MAX_BODIES_BYTES)
    }

    pub(super) fn with_bounds(max_calls: usize, max_bytes: usize) -> Self {
        let state = State {
            kept: VecDeque::new(),
            bytes: 0,
            script: VecDeque::new(),
            always: Answer::Status(200),
            only_at: None,
            by_path: HashMap::new(),
        };
        Self {
            state: Mutex::new(state),
            counts: watch::Sender::new(0),
            calls: broadcast::Sender::new(LAG),
            max_calls,
            max_bytes,
        }
    }

    pub(super) fn script(&self, script: impl IntoIterator<Item = Answer>) {
        self.lock().script.extend(script);
    }

    pub(super) fn answer_always(&self, answer: Answer) {
        self.lock().always = answer;
    }

    pub(super) fn only_at(&self, path: &str) {
        self.lock().only_at = Some(path.to_owned());
    }

    pub(super) fn script_at(&self, path: &str, script: impl IntoIterator<Item = Answer>) {
        self.lock().by_path.insert(path.to_owned(), script.into_iter().collect());
    }

    /// Takes the answer for the next call.
    pub(super) fn next_answer(&self, path: &str) -> Answer {
        let mut state = self.lock();
        if state.only_at.as_deref().is_some_and(|only| only != path) {
            return Answer::Status(404);
        }
        if let Some(script) = state.by_path.get_mut(path)
            && let Some(last) = script.back().cloned()
        {
            return if script.len() > 1 { script.pop_front().unwrap_or(last) } else { last };
        }
        state.script.pop_front().unwrap_or_else(|| state.always.clone())
    }

    /// Records a call, drops the oldest beyond the bounds, and notifies waiters and subscribers.
    pub(super) fn record(&self, call: Call) {
        let mut state = self.lock();
        state.bytes += call.body.len();
        state.kept.push_back(call.clone());
        while state.kept.len() > self.max_calls || state.bytes > self.max_bytes {
            let Some(oldest) = state.kept.pop_front() else {
                break;
            };
            state.bytes -= oldest.body.len();
        }
        // Within the lock: a waiter that sees the count finds the call, and subscribers receive calls in order.
        self.counts.send_modify(|count| *count += 1);
        // Subscribers are optional.
        let _ = self.calls.send(call);
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.lock().kept.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> usize {
        *self.counts.borrow()
    }

    pub(super) fn counts(&self) -> watch::Receiver<usize> {
        self.counts.subscribe()
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Call> {
        self.calls.subscribe()
    }

    // No panic can leave a partial value: each change is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
