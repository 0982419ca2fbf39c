//! What a receiver got, counted.

use std::collections::{BTreeMap, BTreeSet};

use testkit::{Call, Receiver};
use uuid::Uuid;

/// Calls by `webhook-id`.
pub(crate) fn calls_by_id(calls: &[Call]) -> BTreeMap<Uuid, usize> {
    let mut by_id = BTreeMap::new();
    for call in calls {
        let id = call.webhook_id().and_then(|id| id.parse().ok()).expect("every call has a webhook-id");
        *by_id.entry(id).or_default() += 1;
    }
    by_id
}

/// The names of the files whose events came in.
pub(crate) fn files(calls: &[Call]) -> BTreeSet<String> {
    let name = |call: &Call| Some(call.json()?["data"]["file_name"].as_str()?.to_owned());
    calls.iter().map(|call| name(call).expect("every call tells of a file")).collect()
}

/// How many ids came more than once.
pub(crate) fn repeated(receiver: &Receiver) -> usize {
    calls_by_id(&receiver.calls()).values().filter(|calls| **calls > 1).count()
}

/// File names `what-0` to `what-<count - 1>`.
pub(crate) fn names(what: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{what}-{number}.txt")).collect()
}
