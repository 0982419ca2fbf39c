//! Retry schedules of endpoints, read once and kept by their text.
//! A schedule that can't be read is nobody's fault here: the setting's is used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::delivery::RetrySchedule;
use tracing::warn;

/// Most schedules kept; when more are in use, it starts afresh.
const KEPT: usize = 1_000;

/// Schedules by their text.
pub(super) struct Schedules {
    setting: Arc<RetrySchedule>,
    kept: Mutex<HashMap<String, Arc<RetrySchedule>>>,
}

impl Schedules {
    pub(super) fn new(setting: RetrySchedule) -> Self {
        Self { setting: Arc::new(setting), kept: Mutex::default() }
    }

    /// The endpoint's own schedule, or the setting's.
    pub(super) fn of(&self, text: Option<&str>) -> Arc<RetrySchedule> {
        let Some(text) = text else { return Arc::clone(&self.setting) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schedule) = kept.get(text) {
            return Arc::clone(schedule);
        }
        let schedule = self.read(text);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::clone(&schedule));
        schedule
    }

    fn read(&self, text: &str) -> Arc<RetrySchedule> {
        RetrySchedule::from_seconds(text).map_or_else(
            |error| {
                warn!(%error, "a stored retry schedule can't be read; RETRY_SCHEDULE is used in its place");
                Arc::clone(&self.setting)
            },
            Arc::new,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoints_own_schedule_goes_before_the_setting_unless_it_is_damaged() {
        let schedules = Schedules::new(RetrySchedule::default());
        assert_eq!(schedules.of(Some("[1,2]")).attempts(), 3);
        assert!(Arc::ptr_eq(&schedules.of(Some("[1,2]")), &schedules.of(Some("[1,2]"))), "read once");
        for setting in [None, Some("damaged")] {
            assert_eq!(*schedules.of(setting), RetrySchedule::default());
        }
    }
}
