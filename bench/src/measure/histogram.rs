//! Latencies in fixed buckets: of constant size, with an error of at most 2 %.

use std::time::Duration;

/// Buckets for each doubling.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Doublings: up to 2^40 microseconds, twelve days.
const DOUBLINGS: usize = 35;
const BUCKETS: usize = STEPS as usize * (DOUBLINGS + 1);

/// Durations in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Records a duration.
    pub(crate) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)] += 1;
        self.total += 1;
    }

    /// Adds the durations of another histogram.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.total += other.total;
    }

    /// Returns the quantile in ms; 0 without durations.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let place = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        place.map_or(0.0, |place| upper_bound(place) as f64 / 1_000.0)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let doubling = u64::BITS - 1 - micros.leading_zeros() - STEP_BITS;
    let step = (micros >> doubling) - STEPS;
    ((u64::from(doubling) + 1) * STEPS + step).min(BUCKETS as u64 - 1) as usize
}

/// The largest duration of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let (doubling, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    if doubling == 0 { step } else { ((STEPS + step + 1) << (doubling - 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_the_bucket_whose_bounds_enclose_it() {
        for micros in (0..4_096).chain([65_535, 65_536, 1_000_000, 123_456_789, (1 << 40) - 1]) {
            let place = bucket(micros);
            assert!(micros <= upper_bound(place), "{micros}");
            assert!(place == 0 || micros > upper_bound(place - 1), "{micros}");
            assert!(upper_bound(place) as f64 <= (micros + 1) as f64 * 1.02, "{micros}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_noted() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile_ms(0.5), 0.0);
        (1..=100).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        for (share, ms) in [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert!((histogram.quantile_ms(share) - ms).abs() <= ms * 0.02, "{share}");
        }
    }

    #[test]
    fn two_together_hold_what_both_have_noted() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_millis(100));
        one.add(&other);
        assert!(one.quantile_ms(1.0) > 99.0);
        assert_eq!(one.total, 2);
    }
}
