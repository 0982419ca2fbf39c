//! The names of our metrics, in one table with their kind, labels and help. Counters end in `_total`, units are part of
//! the name, and every label has a bounded set of values.

macro_rules! metrics {
    ($($name:ident = $text:literal, $kind:ident, [$($label:literal),*], $help:literal;)+) => {
        $(#[doc = $help] pub const $name: &str = $text;)+

        /// Every metric, in the order of documents.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $text, kind: Kind::$kind, labels: &[$($label),*], help: $help,
        }),+];
    };
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only increases.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// A histogram with fixed buckets, in seconds.
    Histogram,
    /// Quantiles of the last minute or so.
    Summary,
}

/// One metric as documents and `/metrics` describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The help text: what it counts or measures.
    pub help: &'static str,
}

metrics! {
    HTTP_REQUESTS = "http_requests_total", Counter, ["path", "status"],
        "HTTP responses by route pattern and status; `unmatched` is every path without a route.";
    WEBHOOK_REQUESTS = "webhook_requests_total", Counter, ["result"],
        "Signed ingest by result: created, duplicate, invalid_signature, validation_error.";
    REQUEST_LATENCY_MS = "request_latency_ms", Summary, [],
        "Time from request to response in milliseconds.";
    ACCEPTED = "hookyard_accepted_total", Counter, ["kind"],
        "Accepted work, stored before its 2xx, by kind: upload, event, message, notification.";
    DELIVERIES_FINISHED = "hookyard_deliveries_finished_total", Counter, ["state", "channel"],
        "Finished deliveries by state (succeeded, dead, cancelled) and channel.";
    ATTEMPTS = "hookyard_attempts_total", Counter, ["channel", "result"],
        "Attempts by channel and result: success, failure.";
    ATTEMPT_DURATION_SECONDS = "hookyard_attempt_duration_seconds", Histogram, ["channel"],
        "Duration of one attempt in seconds.";
    DELIVERY_LATENCY_SECONDS = "hookyard_delivery_latency_seconds", Histogram, [],
        "Time from accept, or from the requested delivery time, to successful delivery in seconds.";
    OLDEST_DUE_AGE_SECONDS = "hookyard_oldest_due_age_seconds", Gauge, [],
        "Age in seconds of the oldest due delivery whose lane may send: not held, limited or stopped by a breaker.";
    QUEUE_DEPTH = "hookyard_queue_depth", Gauge, ["queue"],
        "Deliveries, uploads or broadcasts in the queue.";
    WINDOW_SIZE = "hookyard_window_size", Gauge, [],
        "Most deliveries that the queue may hold.";
    IN_FLIGHT = "hookyard_in_flight", Gauge, [],
        "Sends in progress in this process.";
    RESCUED = "hookyard_rescued_total", Counter, [],
        "Deliveries that were claimed because their job was lost or late, or their worker died.";
    DUPLICATE_RECORDS = "hookyard_duplicate_records_total", Counter, [],
        "Results that arrived after another claim had taken over the delivery.";
    DEAD_LETTERS = "hookyard_dead_letters", Gauge, [],
        "Stored dead letters.";
    FORGOTTEN_ROWS = "hookyard_forgotten_rows_total", Counter, [],
        "Rows deleted one by one because they were older than RETENTION; partitions dropped whole do not count.";
    INVARIANT_VIOLATIONS = "hookyard_invariant_violations_total", Counter, ["check"],
        "Invariant violations found by the doctor, by check; repairable rows were repaired.";
    DELIVERIES_OPEN = "hookyard_deliveries_open", Gauge, [],
        "Unfinished deliveries, counted up to a bound.";
    DELIVERIES_HELD = "hookyard_deliveries_held", Gauge, [],
        "Deliveries of lanes that are paused or disabled, counted up to a bound.";
    BREAKERS_OPEN = "hookyard_breakers_open", Gauge, [],
        "Active lanes whose breaker is open or half open, counted up to a bound.";
    WORKERS = "hookyard_workers", Gauge, [],
        "Live workers by heartbeat.";
    DATABASE_ERRORS = "hookyard_database_errors_total", Counter, [],
        "Failed database statements.";
    QUEUE_ERRORS = "hookyard_queue_errors_total", Counter, [],
        "Failed queue operations.";
    UPLOADS_PROCESSED = "hookyard_uploads_processed_total", Counter, ["status"],
        "Processed uploads by status: processed, failed.";
    UPLOAD_SECONDS = "hookyard_upload_seconds", Histogram, [],
        "Time to receive and store one upload in seconds.";
    UPLOAD_PROCESSING_SECONDS = "hookyard_upload_processing_seconds", Histogram, [],
        "Time to inspect one upload and write its event, in seconds.";
    PROCESS_START_TIME_SECONDS = "process_start_time_seconds", Gauge, [],
        "When this process started, in seconds since 1970.";
    BUILD_INFO = "hookyard_build_info", Gauge, ["version"],
        "Always 1; the label says which version runs.";
}

/// A label and its values.
type Values = (&'static str, &'static [&'static str]);

const CHANNELS: Values = ("channel", &["webhook", "web_push", "telegram"]);

/// Counters whose label values are all known in advance: each combination starts at zero, so that `increase()` sees its first
/// step.
pub const CLOSED: &[(&str, &[Values])] = &[
    (WEBHOOK_REQUESTS, &[("result", &["created", "duplicate", "invalid_signature", "validation_error"])]),
    (ACCEPTED, &[("kind", &["upload", "event", "message", "notification"])]),
    (DELIVERIES_FINISHED, &[("state", &["succeeded", "dead", "cancelled"]), CHANNELS]),
    (ATTEMPTS, &[CHANNELS, ("result", &["success", "failure"])]),
    (UPLOADS_PROCESSED, &[("status", &["processed", "failed"])]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_kind() {
        for metric in ALL {
            let counter = metric.kind == Kind::Counter;
            assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
            let histogram = metric.kind == Kind::Histogram;
            assert!(!histogram || metric.name.ends_with("_seconds"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn counters_that_start_at_zero_have_the_labels_of_their_metric() {
        for (name, labels) in CLOSED {
            let metric = ALL.iter().find(|metric| metric.name == *name).expect(name);
            let names: Vec<&str> = labels.iter().map(|(label, _)| *label).collect();
            assert_eq!((metric.kind, names.as_slice()), (Kind::Counter, metric.labels), "{name}");
        }
        // All others have labels that are not known in advance, or start where their values are known.
        let others = ALL.iter().filter(|metric| metric.kind == Kind::Counter && !metric.labels.is_empty());
        let others =
            others.map(|metric| metric.name).filter(|name| CLOSED.iter().all(|(one, _)| one != name));
        assert_eq!(others.collect::<Vec<_>>(), [HTTP_REQUESTS, INVARIANT_VIOLATIONS]);
    }

    #[test]
    fn every_name_is_unique() {
        let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
