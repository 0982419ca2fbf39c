//! What came in and what each chat's next message gets, behind one lock that is never held across a wait.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use tokio::sync::watch;

use super::Reply;

/// One message that the bot was asked to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where to: the number's digits, or the name.
    pub chat: String,
    /// Its text as it came, with tags and escapes.
    pub html: String,
    /// Whether the chat shows it.
    pub taken: bool,
}

#[derive(Default)]
pub(super) struct Log {
    state: Mutex<State>,
    counts: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    calls: Vec<Message>,
    scripts: HashMap<String, VecDeque<Reply>>,
}

impl Log {
    pub(super) fn script(&self, chat: &str, script: impl IntoIterator<Item = Reply>) {
        self.lock().scripts.entry(chat.to_owned()).or_default().extend(script);
    }

    /// The answer for the next valid message to a chat, which is no longer there for another.
    pub(super) fn next_reply(&self, chat: &str) -> Reply {
        self.lock().scripts.get_mut(chat).and_then(VecDeque::pop_front).unwrap_or(Reply::Ok)
    }

    /// Keeps a call and tells who waits. How many there are now.
    pub(super) fn keep(&self, message: Message) -> usize {
        let mut state = self.lock();
        state.calls.push(message);
        let count = state.calls.len();
        self.counts.send_replace(count);
        count
    }

    pub(super) fn calls(&self) -> Vec<Message> {
        self.lock().calls.clone()
    }

    pub(super) fn counts(&self) -> watch::Receiver<usize> {
        self.counts.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}
