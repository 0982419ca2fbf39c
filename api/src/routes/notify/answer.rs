//! Responses: for each channel the number of recipients, and their outcomes so far.

use std::collections::BTreeMap;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use entity::broadcast::queries::DisplayStatus;
use serde::Serialize;

use crate::accept::Audience;

/// The answer's results.
pub(super) struct Results(BTreeMap<&'static str, Counts>);

/// Of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Notices, where it is about notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notices: Option<i64>,
    /// Recipients.
    pub(super) total: i64,
    /// Of those, who has a delivery, or is going to.
    pub(super) queued: i64,
    /// Who got it, where the caller waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) succeeded: Option<i64>,
    /// Who will not get it, where the caller waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<i64>,
}

#[derive(Serialize)]
struct Body<'a> {
    success: bool,
    results: &'a BTreeMap<&'static str, Counts>,
}

impl Results {
    /// Everybody is owed it from now on.
    pub(super) fn of(audience: &[Audience]) -> Self {
        let counts = |total| Counts { total, queued: total, ..Counts::default() };
        Self(audience.iter().map(|of| (of.channel.as_str(), counts(of.total))).collect())
    }

    /// A channel that notices may go out on, with none so far.
    pub(super) fn of_notices(channels: impl Iterator<Item = &'static str>) -> Self {
        Self(channels.map(|channel| (channel, Counts { notices: Some(0), ..Counts::default() })).collect())
    }

    /// Adds a notice that goes out.
    pub(super) fn add_notice(&mut self, audience: &[Audience]) {
        for of in audience {
            let counts = self.0.entry(of.channel.as_str()).or_default();
            counts.notices = Some(counts.notices.unwrap_or(0) + 1);
            counts.total += of.total;
            counts.queued += of.total;
        }
    }

    /// Adds what has become of it.
    pub(super) fn learn(&mut self, statuses: &[DisplayStatus]) {
        for (channel, counts) in &mut self.0 {
            let status = statuses.iter().find(|status| status.channel == *channel);
            counts.succeeded = Some(status.map_or(0, |status| status.succeeded));
            counts.failed = Some(status.map_or(0, |status| status.failed));
            if let Some(status) = status.filter(|status| status.is_done) {
                counts.queued = status.queued;
            }
        }
    }

    /// False when it is known that no recipient got it.
    fn is_success(&self) -> bool {
        let sum = |of: fn(&Counts) -> Option<i64>| self.0.values().filter_map(of).sum::<i64>();
        let (succeeded, failed) = (sum(|counts| counts.succeeded), sum(|counts| counts.failed));
        let queued: i64 = self.0.values().map(|counts| counts.queued).sum();
        succeeded > 0 || failed == 0 || failed < queued
    }

    pub(super) fn into_response(self) -> Response {
        Json(Body { success: self.is_success(), results: &self.0 }).into_response()
    }
}

#[cfg(test)]
mod tests {
    use domain::delivery::Channel;

    use super::*;

    fn audience(total: i64) -> [Audience; 1] {
        [Audience { channel: Channel::Telegram, total }]
    }

    fn status(succeeded: i64, failed: i64, queued: i64, is_done: bool) -> [DisplayStatus; 1] {
        [DisplayStatus { channel: "telegram".into(), is_done, queued, succeeded, failed }]
    }

    #[test]
    fn it_is_a_success_unless_all_are_known_to_have_failed() {
        let success = |total, status: &[DisplayStatus]| {
            let mut results = Results::of(&audience(total));
            results.learn(status);
            results.is_success()
        };
        assert!(Results::of(&audience(2)).is_success(), "no request waited");
        assert!(success(0, &status(0, 0, 0, true)), "there are no recipients");
        assert!(success(2, &status(0, 1, 2, true)), "one may still get it");
        assert!(success(2, &status(1, 1, 2, true)));
        assert!(!success(2, &status(0, 2, 2, true)));
        assert!(!success(3, &status(0, 2, 2, true)), "one left before its page was made");
    }

    #[test]
    fn notices_add_up() {
        let mut results = Results::of_notices(["telegram", "web_push"].into_iter());
        results.add_notice(&audience(2));
        results.add_notice(&audience(3));
        let found = serde_json::to_value(&results.0).expect("JSON");
        let expected = serde_json::json!({
            "telegram": {"notices": 2, "total": 5, "queued": 5}, "web_push": {"notices": 0, "total": 0, "queued": 0},
        });
        assert_eq!(found, expected);
    }
}
