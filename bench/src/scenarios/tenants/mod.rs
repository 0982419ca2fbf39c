//! What other users cost: accepts beside 100, 10,000 and 100,000 users with an endpoint each, all registered for one type,
//! and beside one user's batch of 1,000 events to 1,000 endpoints.

mod rows;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;

use self::rows::add_endpoints;
use super::{
    Plan, Setup,
    give_up::guard,
    labelled::{of_one, run_to_the_end},
};
use crate::{
    cluster::{ClusterOptions, Shape, USER},
    load::{Connection, Labelled, MakeRequest, Pace, PostRequest},
    measure::Histogram,
    report::Report,
};

const USERS: [u64; 3] = [100, 10_000, 100_000];
const FIRST_USER: u64 = 1_000;
const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(2);
const ARRIVE_WITHIN: Duration = Duration::from_secs(60);
/// The highest rate may be so many times the lowest.
const FLAT: f64 = 1.3;

/// The user with many endpoints publishes so many events at once.
const BATCH: u64 = 1_000;
const BATCH_ENDPOINTS: u64 = 1_000;
/// Events a second of another user meanwhile.
const PER_SECOND: f64 = 100.0;
/// The other user's accepts may take so much longer.
const MOST_DELAY_MS: f64 = 100.0;

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let mut setup = Setup::with_ledger(shape, &ClusterOptions::default(), 0).await?;
    let (mut report, mut rates, mut made) = (Report::new("tenants", shape), vec![], 0);
    for users in USERS {
        add(&mut setup, made..users, |number| FIRST_USER + number).await?;
        made = users;
        guard(&setup.cluster, plan, &mut report, measure(&setup, plan, users)).await;
        let sums = setup.ledger.sums();
        let rate = sums.accepted as f64 / sums.accepted_within.as_secs_f64().max(f64::EPSILON);
        report
            .figure(format!("users_{users}_accepted_per_s"), rate)
            .figure(format!("users_{users}_refused"), (sums.asked - sums.accepted) as f64)
            .figure(format!("users_{users}_accept_p99_ms"), sums.accept.quantile_ms(0.99));
        rates.push(rate);
    }
    tell_flat(&rates, &mut report);
    add(&mut setup, made..made + BATCH_ENDPOINTS, |_| USER).await?;
    beside_a_batch(&setup, plan, &mut report).await;
    Ok(report)
}

/// Adds endpoints while no program runs.
async fn add(setup: &mut Setup, numbers: std::ops::Range<u64>, user_of: impl Fn(u64) -> u64) -> Result<()> {
    setup.cluster.stop_programs().await?;
    add_endpoints(&setup.cluster, &setup.receiver.url("/tenant"), numbers, user_of).await?;
    setup.cluster.start_programs().await.map(drop)
}

/// Events of random users, as many as are accepted.
async fn measure(setup: &Setup, plan: &Plan, users: u64) -> Result<()> {
    let load = |length| {
        let (address, ledger) = (setup.cluster.address(), Arc::clone(&setup.ledger));
        let make: Arc<MakeRequest> = Arc::new(move |number, label: &str| {
            PostRequest::labelled_event(FIRST_USER + scattered(number) % users).labelled(label)
        });
        Labelled { address, ledger, make, pace: Pace::Closed { connections: CONNECTIONS }, length }
    };
    run_to_the_end(&load(WARM_UP), ARRIVE_WITHIN).await?;
    setup.ledger.begin();
    run_to_the_end(&load(plan.seconds(5, 20)), ARRIVE_WITHIN).await
}

fn tell_flat(rates: &[f64], report: &mut Report) {
    let most = rates.iter().copied().fold(0.0, f64::max);
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let times = most / least;
    report.figure("highest_by_lowest_rate", times);
    report.goal(format!("accepts are flat: highest ≤ {FLAT} × lowest rate (is {times:.2} ×)"), times <= FLAT);
}

/// Another user's events alone, then while the batch is accepted.
async fn beside_a_batch(setup: &Setup, plan: &Plan, report: &mut Report) {
    let alone = guard(&setup.cluster, plan, report, accepts(setup, plan.seconds(5, 20))).await;
    let both = async {
        let (beside, batch) = tokio::join!(accepts(setup, plan.seconds(10, 30)), publish_batch(setup));
        anyhow::Ok((beside?, batch?))
    };
    let beside = guard(&setup.cluster, plan, report, both).await;
    let (Some(alone), Some((beside, (status, took)))) = (alone, beside) else { return };
    let (p99_alone, p99) = (alone.quantile_ms(0.99), beside.quantile_ms(0.99));
    let most = p99_alone + MOST_DELAY_MS;
    report
        .figure("batch_status", f64::from(status))
        .figure("batch_accept_s", took.as_secs_f64())
        .figure("alone_accept_p99_ms", p99_alone)
        .figure("beside_accept_p99_ms", p99)
        .figure("beside_accept_longest_ms", beside.quantile_ms(1.0))
        .goal(format!("beside a batch: accept p99 ≤ alone + 100 ms = {most:.0} (is {p99:.0})"), p99 <= most);
}

/// How long accepts of one user take.
async fn accepts(setup: &Setup, length: Duration) -> Result<Histogram> {
    setup.ledger.begin();
    let request = PostRequest::labelled_event(FIRST_USER);
    of_one(setup, request, Pace::Open { per_second: PER_SECOND }, length).run().await?;
    Ok(setup.ledger.sums().accept)
}

async fn publish_batch(setup: &Setup) -> Result<(u16, Duration)> {
    let begun = Instant::now();
    let mut connection = Connection::open(&setup.cluster.address()).await?;
    let (status, _) = connection.post(&PostRequest::batch(BATCH, None)).await?;
    Ok((status, begun.elapsed()))
}

/// A number that looks random and is the same in every run (SplitMix64).
const fn scattered(number: usize) -> u64 {
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 27)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_scattered_over_all_users() {
        let users: BTreeSet<u64> = (0..2_000).map(|number| scattered(number) % 100).collect();
        assert_eq!(users.len(), 100);
    }
}
