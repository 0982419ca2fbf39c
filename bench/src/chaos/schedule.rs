//! Which faults, when and how long: decided by a seed alone, so that a run can be repeated.

use std::{fmt, time::Duration};

use crate::rig::Shape;

/// From here on runs are long enough for faults that take their time.
const LONG: Duration = Duration::from_secs(120);
/// What a worker's lease lasts in a run of chaos (a deadline of 3 s and 30 s), and a margin.
const PAST_THE_LEASE: Duration = Duration::from_secs(38);

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `kill -9` of the API, or of the one process.
    KillApi,
    /// `kill -9` of one worker.
    KillWorker,
    /// A worker stops for longer than its lease, then goes on.
    PauseWorker,
    /// `kill -9` of Redis; all hints are gone.
    KillRedis,
    /// `FLUSHALL`.
    FlushRedis,
    /// Redis does not answer.
    PauseRedis,
    /// `kill -9` of every process of Postgres.
    KillPostgres,
    /// Postgres does not answer.
    PausePostgres,
    /// The database's clock jumps a minute ahead.
    ClockForward,
    /// The database's clock goes back by five seconds.
    ClockBack,
    /// Nobody listens at the receiver's port.
    ReceiverDown,
    /// The receiver takes 700 ms.
    ReceiverSlow,
    /// The receiver answers 500.
    ReceiverFails,
    /// No room on the disk of uploads; on one machine the database lies there too.
    DiskFull,
    /// The folder of uploads is gone.
    StoreGone,
}

/// A fault, after a while without, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) after: Duration,
    pub(super) fault: Fault,
    pub(super) hold: Duration,
}

const ON_ONE_MACHINE: &[Fault] = &[
    Fault::KillApi,
    Fault::ReceiverDown,
    Fault::DiskFull,
    Fault::ReceiverSlow,
    Fault::StoreGone,
    Fault::ReceiverFails,
];
const ON_MANY: &[Fault] = &[
    Fault::KillApi,
    Fault::KillWorker,
    Fault::KillRedis,
    Fault::FlushRedis,
    Fault::PauseRedis,
    Fault::KillPostgres,
    Fault::PausePostgres,
    Fault::ClockForward,
    Fault::ClockBack,
    Fault::ReceiverDown,
    Fault::ReceiverSlow,
    Fault::ReceiverFails,
    Fault::DiskFull,
    Fault::StoreGone,
];

/// The steps of a run: every fault once in an order of the seed's, then again in another, as long as they fit.
pub(super) fn schedule(seed: u64, shape: Shape, length: Duration) -> Vec<Step> {
    let (mut random, mut steps, mut used) = (Random(seed), vec![], Duration::ZERO);
    let long = length >= LONG;
    loop {
        for fault in round(&mut random, shape, long) {
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

fn round(random: &mut Random, shape: Shape, long: bool) -> Vec<Fault> {
    let mut faults = match shape {
        Shape::Embedded => ON_ONE_MACHINE.to_vec(),
        Shape::Cluster => ON_MANY.to_vec(),
    };
    if long && shape == Shape::Cluster {
        faults.push(Fault::PauseWorker);
    }
    for last in (1..faults.len()).rev() {
        faults.swap(last, random.below(last as u64 + 1) as usize);
    }
    if !long {
        // What heals when a lease or a breaker's wait ends comes first: the others happen meanwhile.
        faults.sort_by_key(|fault| !heals_slowly(*fault));
    }
    faults
}

const fn heals_slowly(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::KillWorker
            | Fault::KillPostgres
            | Fault::PausePostgres
            | Fault::ReceiverDown
            | Fault::ReceiverFails
    )
}

fn hold(fault: Fault, long: bool, random: &mut Random) -> Duration {
    match fault {
        Fault::PauseWorker => PAST_THE_LEASE,
        Fault::PauseRedis | Fault::PausePostgres if long => Duration::from_secs(10),
        Fault::FlushRedis | Fault::ClockForward | Fault::ClockBack => random.millis(100, 300),
        _ if long => random.millis(1_000, 8_000),
        _ => random.millis(500, 2_000),
    }
}

/// SplitMix64: small, and the same for ever.
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KillApi => "kill -9 of the API",
            Self::KillWorker => "kill -9 of a worker",
            Self::PauseWorker => "a worker stops past its lease",
            Self::KillRedis => "kill -9 of Redis",
            Self::FlushRedis => "FLUSHALL",
            Self::PauseRedis => "Redis stops",
            Self::KillPostgres => "kill -9 of Postgres",
            Self::PausePostgres => "Postgres stops",
            Self::ClockForward => "the database's clock jumps ahead by 60 s",
            Self::ClockBack => "the database's clock goes back by 5 s",
            Self::ReceiverDown => "the receiver is down",
            Self::ReceiverSlow => "the receiver is slow",
            Self::ReceiverFails => "the receiver answers 500",
            Self::DiskFull => "the disk is full",
            Self::StoreGone => "the folder of uploads is gone",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(seed: u64, shape: Shape, seconds: u64) -> Vec<Step> {
        schedule(seed, shape, Duration::from_secs(seconds))
    }

    #[test]
    fn a_seed_is_a_schedule() {
        for shape in [Shape::Embedded, Shape::Cluster] {
            assert_eq!(of(7, shape, 300), of(7, shape, 300));
            assert_ne!(of(7, shape, 300), of(8, shape, 300));
        }
    }

    #[test]
    fn a_schedule_fits_into_its_time() {
        for (seed, seconds) in (1..50).flat_map(|seed| [(seed, 10), (seed, 30), (seed, 300)]) {
            let steps = of(seed, Shape::Cluster, seconds);
            let used: Duration = steps.iter().map(|step| step.after + step.hold).sum();
            assert!(!steps.is_empty() && used <= Duration::from_secs(seconds), "{seed}, {seconds}");
        }
    }

    #[test]
    fn a_long_run_has_every_fault() {
        for (shape, faults) in [(Shape::Embedded, ON_ONE_MACHINE.len()), (Shape::Cluster, ON_MANY.len() + 1)]
        {
            let seen: BTreeSet<String> =
                of(1, shape, 300).iter().map(|step| step.fault.to_string()).collect();
            assert_eq!(seen.len(), faults, "{seen:?}");
        }
    }

    #[test]
    fn a_short_run_begins_with_what_heals_slowly() {
        let steps = of(1, Shape::Cluster, 60);
        let (first, others) = steps.split_at(5);
        assert!(first.iter().all(|step| heals_slowly(step.fault)), "{first:?}");
        assert!(!others.iter().take(5).any(|step| heals_slowly(step.fault)), "{others:?}");
    }

    #[test]
    fn only_long_runs_wait_for_a_lease() {
        let has =
            |seconds| of(3, Shape::Cluster, seconds).iter().any(|step| step.fault == Fault::PauseWorker);
        assert!(!has(119) && has(300));
    }
}
