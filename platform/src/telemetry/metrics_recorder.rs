//! Metrics of the `metrics` facade, rendered as Prometheus text. Opens no listener: the HTTP listeners serve `/metrics`.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::names::{ALL, BUILD_INFO, CLOSED, Kind, Metric, PROCESS_START_TIME_SECONDS};
use crate::supervisor::Service;

/// Upper bounds of the buckets of every histogram of seconds: 1 ms to a day.
const SECONDS: [f64; 20] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0,
    7_200.0, 28_800.0, 86_400.0,
];
/// Quantiles of summaries.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];
/// Interval of draining recorded values, so that memory does not grow while nothing scrapes them.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process. Clones share them.
#[derive(Clone)]
pub struct Telemetry {
    handle: PrometheusHandle,
}

/// The recorder can't be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// The process has a recorder already.
    #[error("a metrics recorder is installed already")]
    Installed,
}

impl Telemetry {
    /// Installs the recorder of this process and describes every metric. Called by each `main`, once per process.
    ///
    /// # Errors
    /// When a recorder is installed already.
    pub fn install() -> Result<Self, TelemetryError> {
        let recorder = recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Installed)?;
        describe_all();
        start_values();
        Ok(Self { handle })
    }

    /// Returns the recorder that all tests of a process share. It includes the numbers of other tests, so compare before and
    /// after, or use unique labels.
    #[must_use]
    pub fn for_tests() -> Self {
        // The facade keeps its recorder in a private static, so sharing needs this one.
        static SHARED: OnceLock<Telemetry> = OnceLock::new();
        SHARED.get_or_init(|| Self::install().expect("tests install no other recorder")).clone()
    }

    /// Renders every metric in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Returns the service that keeps the recorder's memory small; every process runs one.
    #[must_use]
    pub fn upkeep(&self) -> Service {
        let handle = self.handle.clone();
        Service::new("telemetry", move |stop| async move {
            upkeep(&handle, &stop).await;
            Ok(())
        })
    }
}

async fn upkeep(handle: &PrometheusHandle, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        handle.run_upkeep();
    }
}

fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new()
        .set_quantiles(&QUANTILES)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS))
        .expect("quantiles and buckets are not empty")
        .build_recorder()
}

fn describe_all() {
    for Metric { name, kind, help, .. } in ALL.iter().copied() {
        let unit = if name.ends_with("_seconds") { Unit::Seconds } else { Unit::Count };
        match kind {
            Kind::Counter => describe_counter!(name, help),
            Kind::Gauge => describe_gauge!(name, unit, help),
            Kind::Histogram | Kind::Summary => describe_histogram!(name, help),
        }
    }
}

/// Sets initial values. Counters with known labels start at zero, so that `increase()` sees their first step.
fn start_values() {
    for metric in ALL.iter().filter(|metric| metric.kind == Kind::Counter && metric.labels.is_empty()) {
        counter!(metric.name).absolute(0);
    }
    for (name, labels) in CLOSED {
        for combination in combinations(labels) {
            counter!(*name, &combination).absolute(0);
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!(PROCESS_START_TIME_SECONDS).set(now.as_secs_f64());
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Returns every combination of the labels' values.
fn combinations(
    labels: &[(&'static str, &'static [&'static str])],
) -> Vec<Vec<(&'static str, &'static str)>> {
    labels.iter().fold(vec![vec![]], |all, (label, values)| {
        let longer = |shorter: &Vec<(&'static str, &'static str)>| {
            let shorter = shorter.clone();
            values.iter().map(move |value| [&shorter[..], &[(*label, *value)]].concat())
        };
        all.iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use metrics::histogram;

    use super::*;
    use crate::telemetry::names::{
        ATTEMPT_DURATION_SECONDS, HTTP_REQUESTS, OLDEST_DUE_AGE_SECONDS, REQUEST_LATENCY_MS,
    };

    #[test]
    fn every_metric_is_described_and_rendered_as_its_kind() {
        let telemetry = Telemetry::for_tests();
        counter!(HTTP_REQUESTS, "path" => "/described", "status" => "200").increment(2);
        histogram!(ATTEMPT_DURATION_SECONDS, "channel" => "described").record(0.3);
        gauge!(OLDEST_DUE_AGE_SECONDS).set(4.0);
        histogram!(REQUEST_LATENCY_MS).record(12.0);
        let text = telemetry.render();
        for part in [
            "# HELP http_requests_total HTTP responses by",
            "# TYPE http_requests_total counter",
            "http_requests_total{path=\"/described\",status=\"200\"} 2",
            "# TYPE hookyard_attempt_duration_seconds histogram",
            "hookyard_attempt_duration_seconds_bucket{channel=\"described\",le=\"0.25\"} 0",
            "hookyard_attempt_duration_seconds_bucket{channel=\"described\",le=\"0.5\"} 1",
            "hookyard_attempt_duration_seconds_sum{channel=\"described\"} 0.3",
            "# TYPE hookyard_oldest_due_age_seconds gauge",
            "# TYPE request_latency_ms summary",
            "request_latency_ms{quantile=\"0.99\"}",
            "request_latency_ms_count",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_known_at_start_is_there_before_anything_happens() {
        let text = Telemetry::for_tests().render();
        for part in [
            "hookyard_queue_errors_total 0",
            "webhook_requests_total{result=\"invalid_signature\"} 0",
            "hookyard_accepted_total{kind=\"notification\"} 0",
            "hookyard_deliveries_finished_total{state=\"dead\",channel=\"web_push\"} 0",
            "hookyard_attempts_total{channel=\"telegram\",result=\"failure\"} 0",
            "hookyard_uploads_processed_total{status=\"failed\"} 0",
            "process_start_time_seconds 1",
            "hookyard_build_info{version=\"",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_process_has_one_recorder() {
        let first = Telemetry::for_tests();
        assert_eq!(Telemetry::install().err(), Some(TelemetryError::Installed));
        counter!("test_shared_total").increment(1);
        assert_eq!(first.render().matches("test_shared_total 1").count(), 1);
        assert!(Telemetry::for_tests().render().contains("test_shared_total 1"));
    }

    #[tokio::test]
    async fn the_upkeep_runs_until_it_is_told_to_stop() {
        let stop = CancellationToken::new();
        stop.cancel();
        let services = vec![Telemetry::for_tests().upkeep()];
        assert!(crate::supervisor::Supervisor::run(services, stop, UPKEEP).await.is_ok());
    }
}
