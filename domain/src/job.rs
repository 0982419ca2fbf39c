//! What travels through the queue. A job is a hint: ids of work that is due now; the rows are the work.
//! Stored jobs are public: fields are added, never renamed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::words::words;

/// Most ids that one job carries.
pub const MAX_IDS_PER_JOB: usize = 32;
/// Most ids that a queue holds at any moment, all processes together.
pub const WINDOW: usize = 4_096;
/// How long a hint is trusted before the dispatcher looks at its row again.
pub const HINT_TRUSTED: std::time::Duration = std::time::Duration::from_secs(15);
/// How long a lane counts as one with a backlog after that was noticed: accepts then leave it to the dispatcher.
pub const BACKLOG_LASTS: std::time::Duration = std::time::Duration::from_secs(3);

words! {
    /// The queues, by the names that `WORKER_QUEUES` takes.
    QueueName {
        /// Deliveries due now.
        Deliveries = "deliveries",
        /// Uploads to process.
        Uploads = "uploads",
        /// Broadcasts to fan out.
        Broadcasts = "broadcasts",
        /// Upkeep: replays, retention, repairs.
        Maintenance = "maintenance",
    }
}

/// Ids of work that is due now. A job carries at most [`MAX_IDS_PER_JOB`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Ids of deliveries, uploads or broadcasts, as the queue says.
    pub ids: Vec<Uuid>,
    /// The lane of each delivery, so that a worker can share out its slots before it asks the database. Where there are
    /// fewer than ids, the last one is also the lane of the rest. None: nobody said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Uuid>,
    /// The request that caused the work, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Hint {
    /// Work without lanes.
    #[must_use]
    pub fn of(ids: &[Uuid]) -> Self {
        Self { ids: ids.to_vec(), ..Self::default() }
    }

    /// Deliveries, each with its lane.
    pub fn of_lanes(deliveries: impl IntoIterator<Item = (Uuid, Uuid)>) -> Self {
        let (ids, lanes) = deliveries.into_iter().unzip();
        Self { ids, lanes: without_repeats_at_the_end(lanes), request_id: None }
    }

    /// The same, caused by a request.
    #[must_use]
    pub fn caused_by(self, request_id: Option<&str>) -> Self {
        Self { request_id: request_id.map(str::to_owned), ..self }
    }

    /// Each id with its lane; nil where nobody said which.
    pub fn with_lanes(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        let last = self.lanes.last().copied().unwrap_or_default();
        let lanes = self.lanes.iter().copied().chain(std::iter::repeat(last));
        self.ids.iter().copied().zip(lanes)
    }

    /// Its first `count` ids, job by job.
    pub fn jobs(&self, count: usize) -> impl Iterator<Item = Self> {
        let first = &self.ids[..count.min(self.ids.len())];
        first.chunks(MAX_IDS_PER_JOB).enumerate().map(|(n, ids)| Self {
            ids: ids.to_vec(),
            lanes: self.lanes_from(n * MAX_IDS_PER_JOB, ids.len()),
            request_id: self.request_id.clone(),
        })
    }

    fn lanes_from(&self, first: usize, count: usize) -> Vec<Uuid> {
        let Some(last) = self.lanes.len().checked_sub(1) else { return vec![] };
        let (from, to) = (first.min(last), (first + count).min(self.lanes.len()).max(first.min(last) + 1));
        without_repeats_at_the_end(self.lanes[from..to].to_vec())
    }
}

fn without_repeats_at_the_end(mut lanes: Vec<Uuid>) -> Vec<Uuid> {
    while lanes.len() > 1 && lanes[lanes.len() - 1] == lanes[lanes.len() - 2] {
        lanes.pop();
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deliveries whose lanes have these numbers.
    fn deliveries(lanes: impl IntoIterator<Item = u128>) -> Vec<(Uuid, Uuid)> {
        let numbered = (1_000..).zip(lanes);
        numbered.map(|(id, lane)| (Uuid::from_u128(id), Uuid::from_u128(lane))).collect()
    }

    #[test]
    fn jobs_carry_each_id_with_its_lane_and_one_lane_once() {
        let most = MAX_IDS_PER_JOB;
        let one = vec![7; 2 * most + 1];
        let two = [vec![7; most + 1], vec![8; most]].concat();
        let each: Vec<u128> = (0..3 * most as u128).collect();
        for (lanes, named) in
            [(vec![], vec![]), (one, vec![1, 1, 1]), (two, vec![1, 2, 1]), (each, vec![most; 3])]
        {
            let all = deliveries(lanes);
            let jobs: Vec<Hint> = Hint::of_lanes(all.clone()).jobs(usize::MAX).collect();
            assert_eq!(jobs.iter().map(|job| job.lanes.len()).collect::<Vec<_>>(), named);
            assert!(jobs.iter().all(|job| job.ids.len() <= most));
            let told: Vec<_> = jobs.iter().flat_map(|job| job.with_lanes().collect::<Vec<_>>()).collect();
            assert_eq!(told, all);
        }
    }

    #[test]
    fn jobs_end_where_the_room_ends() {
        let hint = Hint::of_lanes(deliveries(vec![7; MAX_IDS_PER_JOB + 2])).caused_by(Some("r"));
        let counts = |count| hint.jobs(count).map(|job| job.ids.len()).collect::<Vec<_>>();
        assert_eq!(counts(0), [0; 0]);
        assert_eq!(counts(MAX_IDS_PER_JOB), [32]);
        assert_eq!(counts(MAX_IDS_PER_JOB + 1), [32, 1]);
        assert!(hint.jobs(usize::MAX).all(|job| job.request_id.as_deref() == Some("r")));
    }

    #[test]
    fn a_job_of_an_older_version_has_no_lanes() {
        let id = Uuid::from_u128(1);
        let old: Hint = serde_json::from_str(&format!(r#"{{"ids":["{id}"]}}"#)).expect("a hint");
        assert_eq!(old, Hint::of(&[id]));
        assert_eq!(old.with_lanes().collect::<Vec<_>>(), [(id, Uuid::nil())]);
        assert_eq!(serde_json::to_string(&old).expect("JSON"), format!(r#"{{"ids":["{id}"]}}"#));
    }
}
