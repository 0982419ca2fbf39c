use governor::clock::FakeRelativeClock;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn limit(rate: Rate) -> (RateLimit<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (RateLimit::with_clock(rate, clock.clone()), clock)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_burst_is_served_and_then_as_many_as_time_gives() {
    let every = Duration::from_millis(20);
    let (limit, clock) = limit(Rate::new(200, every));
    let ask = || limit.check(ip("192.0.2.1"));
    assert!((0..200).all(|_| ask().is_ok()));
    assert_eq!(ask(), Err(every));
    clock.advance(Duration::from_millis(19));
    assert_eq!(ask(), Err(Duration::from_millis(1)));
    clock.advance(Duration::from_millis(1));
    assert!(ask().is_ok() && ask().is_err());
    clock.advance(SECOND);
    assert!((0..50).all(|_| ask().is_ok()) && ask().is_err());
    assert!(limit.check(ip("192.0.2.2")).is_ok(), "another address is not limited");
}

#[test]
fn ten_wrong_keys_at_once_and_then_ten_a_minute() {
    let (limit, clock) = limit(Rate::WRONG_KEYS);
    let wrong = || limit.check(ip("192.0.2.1"));
    assert!((0..10).all(|_| wrong().is_ok()));
    assert_eq!(wrong(), Err(6 * SECOND));
    clock.advance(60 * SECOND);
    assert!((0..10).all(|_| wrong().is_ok()) && wrong().is_err());
}

#[test]
fn what_is_forgotten_is_whole_again() {
    let (limit, _clock) = limit(Rate::WRONG_KEYS);
    let wrong = || limit.check(ip("192.0.2.1"));
    assert!((0..10).all(|_| wrong().is_ok()) && wrong().is_err());
    limit.forget(ip("192.0.2.1"));
    assert!((0..10).all(|_| wrong().is_ok()) && wrong().is_err());
}

#[test]
fn a_whole_ipv6_network_counts_as_one() {
    let (limit, _clock) = limit(Rate::new(1, SECOND));
    for (address, is_allowed) in [
        ("2001:db8::1", true),
        ("2001:db8::ffff", false),
        ("2001:db8:0:1::1", true),
        ("192.0.2.1", true),
        ("::ffff:192.0.2.1", false),
    ] {
        assert_eq!(limit.check(ip(address)).is_ok(), is_allowed, "{address}");
    }
}

#[test]
fn memory_is_bounded_and_the_overflow_shares_one_count() {
    let (limit, clock) = limit(Rate::new(1, SECOND));
    let ask = |n: usize| limit.check(IpAddr::from(u32::try_from(n).expect("few").to_be_bytes()));
    assert!((0..ADDRESSES).all(|n| ask(n).is_ok()));
    assert!(ask(ADDRESSES).is_ok(), "the first of the overflow");
    assert!(ask(ADDRESSES + 1).is_err());
    assert!(ask(0).is_err(), "one that was there before is counted alone");
    assert_eq!(limit.states.len(), ADDRESSES + 1);
    clock.advance(SECOND);
    assert!(ask(ADDRESSES + 1).is_ok(), "those whose burst is whole are forgotten");
    assert_eq!(limit.states.len(), 1);
}

#[test]
fn the_clock_of_the_process_moves_it() {
    let clock = Clock::default();
    let limit = RateLimit::new(Rate::new(1, 3_600 * SECOND), &clock);
    assert!(limit.check(ip("192.0.2.1")).is_ok() && limit.check(ip("192.0.2.1")).is_err());
    clock.forward(3_600 * SECOND);
    assert!(limit.check(ip("192.0.2.1")).is_ok());
}

#[test]
fn a_wait_is_told_in_whole_seconds() {
    for (ms, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_000, 59), (59_999, 60)] {
        assert_eq!(retry_after(Duration::from_millis(ms)), seconds, "{ms} ms");
    }
}
