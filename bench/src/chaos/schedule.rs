//! The schedule of faults, derived from a seed alone, so that a run can be repeated.

use std::time::Duration;

use super::fault::{Fault, LOCKS};
use crate::cluster::Shape;

/// From here on runs are long enough for faults that take their time.
const LONG: Duration = Duration::from_secs(120);
/// What a worker's lease lasts in a run of chaos (a deadline of 3 s and 30 s), and a margin.
const PAST_THE_LEASE: Duration = Duration::from_secs(38);

/// How long another session holds a table, or another process the file.
const LOCKED: Duration = Duration::from_secs(8);

/// A fault, after a while without, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) after: Duration,
    pub(super) fault: Fault,
    pub(super) hold: Duration,
}

/// The steps of a run: every fault once in an order of the seed's, then again in another, as long as they fit. With
/// `only`, no others.
pub(super) fn schedule(seed: u64, shape: Shape, length: Duration, only: &[Fault]) -> Vec<Step> {
    let (mut random, mut steps, mut used) = (Random(seed), vec![], Duration::ZERO);
    let long = length >= LONG;
    loop {
        let faults = round(&mut random, shape, long, only);
        if faults.is_empty() {
            return steps;
        }
        for fault in faults {
            let after = random.millis(700, 2_000);
            let hold = hold(fault, long, &mut random);
            used += after + hold;
            if used > length {
                return steps;
            }
            steps.push(Step { after, fault, hold });
        }
    }
}

fn round(random: &mut Random, shape: Shape, long: bool, only: &[Fault]) -> Vec<Fault> {
    let mut faults = match only {
        [] => all(random, shape, long),
        only => only.iter().copied().filter(|fault| fault.runs_on(shape)).collect(),
    };
    for last in (1..faults.len()).rev() {
        faults.swap(last, random.below(last as u64 + 1) as usize);
    }
    if !long {
        // What heals when a lease or a breaker's wait ends comes first: the others happen meanwhile.
        faults.sort_by_key(|fault| !fault.heals_slowly());
    }
    faults
}

/// Every fault of a shape; a short run has time for one lock, and for no wait past a lease.
fn all(random: &mut Random, shape: Shape, long: bool) -> Vec<Fault> {
    let mut faults = Fault::of_shape(shape).to_vec();
    match (shape, long) {
        (Shape::Embedded, _) => {}
        (Shape::Cluster, true) => faults.extend([Fault::PauseWorker].iter().chain(&LOCKS)),
        (Shape::Cluster, false) => faults.push(LOCKS[random.below(LOCKS.len() as u64) as usize]),
    }
    faults
}

fn hold(fault: Fault, long: bool, random: &mut Random) -> Duration {
    match fault {
        Fault::LockFile => LOCKED,
        _ if fault.locked_table().is_some() => LOCKED,
        Fault::PauseWorker => PAST_THE_LEASE,
        Fault::PauseRedis | Fault::PausePostgres if long => Duration::from_secs(10),
        Fault::FlushRedis | Fault::ClockForward | Fault::ClockBack => random.millis(100, 300),
        _ if long => random.millis(1_000, 8_000),
        _ => random.millis(500, 2_000),
    }
}

/// SplitMix64: small, and the same in every version.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    const fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from + 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use super::*;

    fn steps_of(seed: u64, shape: Shape, seconds: u64) -> Vec<Step> {
        schedule(seed, shape, Duration::from_secs(seconds), &[])
    }

    #[test]
    fn a_seed_is_a_schedule() {
        for shape in [Shape::Embedded, Shape::Cluster] {
            assert_eq!(steps_of(7, shape, 300), steps_of(7, shape, 300));
            assert_ne!(steps_of(7, shape, 300), steps_of(8, shape, 300));
        }
    }

    #[test]
    fn a_schedule_fits_into_its_time() {
        for (seed, seconds) in (1..50).flat_map(|seed| [(seed, 10), (seed, 30), (seed, 300)]) {
            let steps = steps_of(seed, Shape::Cluster, seconds);
            let used: Duration = steps.iter().map(|step| step.after + step.hold).sum();
            assert!(!steps.is_empty() && used <= Duration::from_secs(seconds), "{seed}, {seconds}");
        }
    }

    #[test]
    fn a_long_run_has_every_fault() {
        for shape in [Shape::Embedded, Shape::Cluster] {
            let seen: BTreeSet<String> =
                steps_of(1, shape, 400).iter().map(|step| step.fault.to_string()).collect();
            let faults = Fault::value_variants().iter().filter(|fault| fault.runs_on(shape)).count();
            assert_eq!(seen.len(), faults, "{seen:?}");
        }
    }

    #[test]
    fn a_short_run_begins_with_what_heals_slowly() {
        let steps = steps_of(1, Shape::Cluster, 60);
        let (first, others) = steps.split_at(5);
        assert!(first.iter().all(|step| step.fault.heals_slowly()), "{first:?}");
        assert!(!others.iter().take(5).any(|step| step.fault.heals_slowly()), "{others:?}");
    }

    #[test]
    fn a_short_run_locks_one_table_a_round_and_a_long_one_all() {
        let locked = |seconds| {
            let steps = steps_of(5, Shape::Cluster, seconds);
            let locks = steps.into_iter().filter(|step| step.fault.locked_table().is_some());
            locks.map(|step| (step.fault.to_string(), step.hold)).collect::<BTreeSet<_>>()
        };
        assert!(locked(90).len() <= 2);
        assert_eq!(locked(400).len(), LOCKS.len());
        assert!(locked(400).iter().all(|(_, hold)| *hold == LOCKED));
    }

    #[test]
    fn chosen_faults_happen_alone() {
        let only = [Fault::RedisReadOnly, Fault::KillApi];
        let steps = schedule(1, Shape::Embedded, Duration::from_secs(60), &only);
        assert!(!steps.is_empty() && steps.iter().all(|step| step.fault == Fault::KillApi));
        assert!(schedule(1, Shape::Embedded, Duration::from_secs(60), &only[..1]).is_empty());
    }

    #[test]
    fn only_long_runs_wait_for_a_lease() {
        let has = |seconds| {
            steps_of(3, Shape::Cluster, seconds).iter().any(|step| step.fault == Fault::PauseWorker)
        };
        assert!(!has(119) && has(300));
    }
}
