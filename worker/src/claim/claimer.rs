//! The claimer: groups the ids of many jobs into one claim, as wide as there are free send slots. Where jobs hand in their
//! ids; the work itself is in `claims`.

use platform::context::Context;
use tokio::sync::{mpsc, oneshot};

use super::{Backlogs, Claims, Slots, share::Candidate};

/// Jobs that may wait; beyond it they wait in the queue.
const WAITING: usize = 256;

/// What a job hands in.
pub(super) struct Request {
    pub(super) asked: Vec<Candidate>,
    /// Told when all of it was claimed; a request that was split is told with its last part.
    pub(super) done: Option<oneshot::Sender<()>>,
}

impl Request {
    /// Keeps the first `at` candidates and returns the rest, if there is one.
    pub(super) fn split_off(&mut self, at: usize) -> Option<Self> {
        (at < self.asked.len()).then(|| Self { asked: self.asked.split_off(at), done: self.done.take() })
    }
}

/// Where jobs hand in their ids. Clones share one claimer.
#[derive(Clone)]
pub struct Claimer {
    requests: mpsc::Sender<Request>,
}

impl Claimer {
    /// A claimer for these send slots, and its work. Of lanes in `backlogs` it claims what is due without being asked.
    #[must_use]
    pub fn new(context: &Context, slots: Slots, backlogs: Backlogs) -> (Self, Claims) {
        let (sender, requests) = mpsc::channel(WAITING);
        (Self { requests: sender }, Claims::new(requests, context.clone(), slots, backlogs))
    }

    /// Returns when these deliveries were claimed, or wait for a slot of their lane, or were found not to be due, or the
    /// claimer stopped. What was not claimed is found by the dispatcher.
    pub async fn claim(&self, asked: Vec<Candidate>) {
        let (done, is_done) = oneshot::channel();
        if self.requests.send(Request { asked, done: Some(done) }).await.is_ok() {
            let _ = is_done.await;
        }
    }
}
