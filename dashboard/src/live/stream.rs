//! Server-sent events of one listener: small named events that say which part of the page changed.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use super::{Latest, Live, snapshot::Snapshot};

/// Longest life of a stream; the browser reconnects, and presents its session again.
pub(crate) const LONGEST_STREAM: Duration = Duration::from_secs(3_600);

/// State of one listener: the last snapshot that it received.
struct Listener {
    live: Live,
    news: watch::Receiver<Latest>,
    last_sent: Option<Arc<Snapshot>>,
    told_failing: bool,
    until: Instant,
    _slot: OwnedSemaphorePermit,
}

impl Live {
    /// Events for one listener, or `None` when there are too many. It begins with every event there is, so that
    /// nothing is missed between the page and its stream.
    pub(crate) fn listen(&self) -> Option<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let slot = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        let mut news = self.latest.subscribe();
        news.mark_changed();
        self.somebody_came.notify_one();
        let listener = Listener {
            live: self.clone(),
            news,
            last_sent: None,
            told_failing: false,
            until: Instant::now() + LONGEST_STREAM,
            _slot: slot,
        };
        let batches = stream::unfold(listener, |mut listener| async {
            let events = listener.next().await?;
            Some((stream::iter(events.into_iter().map(Ok)), listener))
        });
        Some(futures_util::StreamExt::flatten(batches))
    }
}

impl Listener {
    /// Waits for news that concern a page; `None` ends the stream.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            tokio::select! {
                () = self.live.closing.cancelled() => return None,
                () = tokio::time::sleep_until(self.until) => return None,
                changed = self.news.changed() => changed.ok()?,
            }
            let latest = self.news.borrow_and_update().clone();
            let events = self.events(&latest);
            if !events.is_empty() {
                return Some(events);
            }
        }
    }

    fn events(&mut self, latest: &Latest) -> Vec<Event> {
        let mut events = Vec::new();
        if latest.failing != self.told_failing {
            self.told_failing = latest.failing;
            events.push(named(if latest.failing { "trouble" } else { "recovered" }));
        }
        if let Some(snapshot) = latest.snapshot.as_ref().filter(|_| !latest.failing) {
            let names = changed(self.last_sent.as_deref(), snapshot);
            events.extend(names.into_iter().map(named));
            events.push(rates(self.last_sent.as_deref(), snapshot));
            self.last_sent = Some(Arc::clone(snapshot));
        }
        events
    }
}

/// The names of the parts that differ.
fn changed(before: Option<&Snapshot>, now: &Snapshot) -> Vec<&'static str> {
    let Some(before) = before else {
        return vec!["counters", "queues", "processes", "deliveries", "errors", "attempts"];
    };
    let parts = [
        ("counters", before.backlog != now.backlog || before.totals != now.totals),
        ("queues", before.queues != now.queues || before.queue_healthy != now.queue_healthy),
        ("processes", before.processes != now.processes),
        ("deliveries", !before.same_deliveries(now)),
        ("errors", before.errors != now.errors),
        ("attempts", !before.series.same_counts(&now.series)),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// The chart's step: the seconds that changed, and what time it is here.
fn rates(before: Option<&Snapshot>, now: &Snapshot) -> Event {
    let points = match before {
        Some(before) => now.series.json_since(&before.series),
        None => now.series.json(),
    };
    Event::default().event("rates").data(format!(r#"{{"now":{},"points":{points}}}"#, now.at.0))
}

fn named(name: &str) -> Event {
    // A name without data is not an event to every reader of the format.
    Event::default().event(name).data("1")
}
