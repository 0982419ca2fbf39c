//! Checks after a run: nothing was lost, nothing stays unfinished, nothing was recorded twice, and no more was sent twice
//! than the faults explain.

use std::time::Duration;

use super::faults::Scene;
use crate::{cluster::Shape, ledger::Sums, report::Report, scenarios::add_refusals};

/// Concurrent sends of each process: each fault may repeat as many.
pub(super) const SLOTS: usize = 128;
/// Longest time from arrival to record: the lease of a dead worker, and a claim.
const RECORDED_WITHIN: Duration = Duration::from_secs(60);
/// Numbers of missing ones that are shown.
const SHOWN: usize = 10;

/// Adds what clients and receiver saw. `faults` is the number of faults.
pub(super) fn add_sums(sums: &Sums, shape: Shape, faults: usize, report: &mut Report) {
    let lost = sums.missing.len();
    report
        .figure("asked", sums.asked as f64)
        .figure("accepted", sums.accepted as f64)
        .figure("arrived", sums.arrived as f64)
        .figure("lost", lost as f64)
        .figure("arrived_twice", sums.twice as f64)
        .figure("arrived_unannounced", sums.unannounced as f64)
        .figure("slowest_arrival_s", sums.slowest.as_secs_f64())
        .must(format!("nothing is lost (is {lost})"), lost == 0);
    if lost > 0 {
        report.note(format!("missing: {:?}", &sums.missing[..lost.min(SHOWN)]));
    }
    report.lost = Some(lost as u64);
    let (twice, most) = (sums.twice, most_twice(shape, faults));
    report.must(format!("at most {most} arrived twice (is {twice})"), twice as usize <= most);
    add_refusals(sums, report);
    let unexpected: u64 =
        sums.refused.iter().filter(|(status, _)| !is_expected(**status)).map(|(_, n)| n).sum();
    report.must(
        format!("every refusal is a 503 or a broken connection ({unexpected} are not)"),
        unexpected == 0,
    );
}

/// Each fault may interrupt all concurrent sends between their call and their record.
const fn most_twice(shape: Shape, faults: usize) -> usize {
    let workers = match shape {
        Shape::Embedded => 1,
        Shape::Cluster => 2,
    };
    faults * workers * SLOTS
}

/// Statuses that a client may get during a fault; a request without a response met a broken connection.
fn is_expected(status: Option<u16>) -> bool {
    status.is_none_or(|status| status == 503)
}

/// Adds what the database contains.
pub(super) async fn add_rows(scene: &Scene, report: &mut Report) {
    let store = scene.cluster.store();
    // Deliveries that are still unfinished then are counted.
    let _ = store.wait_until_recorded(RECORDED_WITHIN).await;
    let open = store.count("delivery").await;
    // Each claim is recorded once at most, and each record counts one attempt.
    let twice = store.count("finished_delivery WHERE attempts > claim").await;
    report
        .figure("dead_letters", store.count("finished_delivery WHERE state = 'dead'").await as f64)
        .must(format!("nothing stays under way (is {open})"), open == 0)
        .must(format!("no claim is recorded twice (is {twice})"), twice == 0);
}
