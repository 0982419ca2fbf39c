//! `Prefer: wait=N` (RFC 7240 §4.3): the answer waits until every delivery has ended, N seconds at most. It polls the
//! database at growing intervals; a stop of the process ends the wait.

use std::time::Duration;

use axum::response::Response;
use domain::clock::Millis;
use entity::broadcast::queries::DisplayStatus;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::answer::Results;
use crate::{accept::Announced, app::App, error_format::DetailError, problem::Problem, search};

/// Longest wait, in seconds; a longer one that is asked for is cut to it.
pub(crate) const MAX_WAIT: u64 = 30;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The wait that a caller prefers, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PreferWait(u64);

impl PreferWait {
    /// The first wait that the headers name. A wait that is not a number is ignored, as are other preferences.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let mut waits = preferences.flat_map(|value| value.split(',')).filter_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"'))
        });
        let seconds = waits.next()?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self(seconds.parse().unwrap_or(u64::MAX).min(MAX_WAIT)))
    }

    /// Waits, and answers with the outcome that is known then.
    pub(super) async fn wait(
        self,
        app: &App,
        announced: &Announced,
        accepted_at: Millis,
        mut results: Results,
    ) -> Result<Response, DetailError> {
        let Ok(_place) = app.waiting.try_acquire() else { return Ok(results.into_response()) };
        results.learn(&self.outcome(app, announced, accepted_at).await?);
        let mut answer = results.into_response();
        let applied = HeaderValue::from_str(&format!("wait={}", self.0));
        answer.headers_mut().insert(APPLIED, applied.expect("a word and digits"));
        Ok(answer)
    }

    async fn outcome(
        self,
        app: &App,
        announced: &Announced,
        accepted_at: Millis,
    ) -> Result<Vec<DisplayStatus>, Problem> {
        let query = entity::broadcast::queries::standings(announced.event_id, accepted_at);
        let until = Instant::now() + Duration::from_secs(self.0);
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = Instant::now();
            let statuses: Vec<DisplayStatus> = search::look(app, &query).await?;
            // A look takes a tenth of the time at most.
            let next = Instant::now() + pause.max(asked.elapsed() * 9);
            if statuses.iter().all(is_over) || app.stopping.is_cancelled() || next > until {
                return Ok(statuses);
            }
            app.stopping.run_until_cancelled(tokio::time::sleep_until(next)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

fn is_over(status: &DisplayStatus) -> bool {
    status.is_done && status.succeeded + status.failed >= status.queued
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Option<u64> {
        let headers = values.iter().map(|value| (PREFER, HeaderValue::from_static(value))).collect();
        PreferWait::of(&headers).map(|PreferWait(seconds)| seconds)
    }

    #[test]
    fn a_wait_is_found_among_preferences_and_cut_to_its_bound() {
        assert_eq!(of(&["wait=5"]), Some(5));
        assert_eq!(of(&["respond-async, WAIT = \"7\" ; x=y", "wait=9"]), Some(7), "the first one counts");
        assert_eq!((of(&["wait=30"]), of(&["wait=31"])), (Some(30), Some(30)));
        assert_eq!(of(&["wait=99999999999999999999999"]), Some(30));
        for none in ["", "wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "waits=5", "return=minimal"] {
            assert_eq!(of(&[none]), None, "{none}");
        }
        assert_eq!(of(&[]), None);
    }
}
