//! How often one address may ask where no key is needed, and how many wrong keys it may show. Never keeps out who has
//! the right key.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{clock::Millis, problem::ProblemCode};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use super::access_log::IngestNote;
use crate::{app::App, auth::shows_a_key, problem::Problem};

/// Requests to open routes that an address may send at once, and then one each [`OPEN_EVERY_MS`].
const OPEN_BURST: i64 = 200;
/// 50 a second.
const OPEN_EVERY_MS: i64 = 20;
/// Wrong keys that an address may show at once, and then one each [`WRONG_KEY_EVERY_MS`].
const WRONG_KEYS: i64 = 10;
/// 10 a minute.
const WRONG_KEY_EVERY_MS: i64 = 6_000;
/// Push messages that an address may ask for at once, to try its subscription, and then one each [`PUSH_TEST_EVERY_MS`].
const PUSH_TESTS: i64 = 10;
/// 10 a minute.
const PUSH_TEST_EVERY_MS: i64 = 6_000;
/// The day over which the new push subscriptions of an address are bounded.
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Most addresses that are remembered; beyond, all further ones share one count.
const ADDRESSES: usize = 4_096;
/// The same of addresses that have subscribed, which are remembered for up to a day.
const SUBSCRIBING_ADDRESSES: usize = 65_536;

/// Who is at the other end of the connection; the listener says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What each address has used up.
pub(crate) struct RateLimits {
    open: Buckets,
    wrong_keys: Buckets,
    push_tests: Buckets,
    /// New push subscriptions.
    pub(crate) subscriptions: Buckets,
}

impl RateLimits {
    /// Nothing is used up. `subscriptions_per_day`: new push subscriptions that an
    /// address may make at once, and as many again over a day; at least 1.
    pub(crate) fn new(subscriptions_per_day: u32) -> Self {
        let per_day = i64::from(subscriptions_per_day);
        Self {
            open: Buckets::new(OPEN_BURST, OPEN_EVERY_MS),
            wrong_keys: Buckets::new(WRONG_KEYS, WRONG_KEY_EVERY_MS),
            push_tests: Buckets::new(PUSH_TESTS, PUSH_TEST_EVERY_MS),
            subscriptions: Buckets::new(per_day, DAY_MS / per_day).remembering(SUBSCRIBING_ADDRESSES),
        }
    }
}

/// The layer of open routes. Who has the key is not counted, nor is this machine where there is no key.
pub(crate) async fn limit_public_route(State(app): State<App>, request: Request, next: Next) -> Response {
    paced(&app, &app.rate_limits.open, request, next).await
}

/// The layer of open routes that cause work elsewhere: a message to a push service. The same callers are exempt.
pub(crate) async fn limit_push_tests(State(app): State<App>, request: Request, next: Next) -> Response {
    paced(&app, &app.rate_limits.push_tests, request, next).await
}

async fn paced(app: &App, buckets: &Buckets, request: Request, next: Next) -> Response {
    match count(app, buckets, stranger(app, &request)) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

/// The layer of signed ingest: only who shows a wrong signature counts as somebody at an open route. A right one is never
/// slowed, whatever else comes from its address.
pub(crate) async fn limit_bad_signatures(State(app): State<App>, request: Request, next: Next) -> Response {
    let stranger = stranger(&app, &request);
    let answer = next.run(request).await;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return answer;
    }
    match count(&app, &app.rate_limits.open, stranger) {
        Ok(()) => answer,
        Err(wait) => keeping_the_note(answer, too_many(wait)),
    }
}

/// Who is counted; none for those who are free.
pub(crate) fn stranger(app: &App, request: &Request) -> Option<IpAddr> {
    let address = address_of(request)?;
    let is_free = if app.lock.is_set() {
        app.lock.caller(request.headers()).is_ok()
    } else {
        address.to_canonical().is_loopback()
    };
    (!is_free).then_some(address)
}

fn count(app: &App, buckets: &Buckets, stranger: Option<IpAddr>) -> Result<(), i64> {
    stranger.map_or(Ok(()), |address| buckets.take(address, app.context.clock.now()))
}

/// What the log says of the first answer, it says of the one that takes its place.
fn keeping_the_note(mut first: Response, mut answer: Response) -> Response {
    if let Some(note) = first.extensions_mut().remove::<IngestNote>() {
        answer.extensions_mut().insert(note);
    }
    answer
}

/// The layer around everything: a wrong key too many is told to wait. A right one never gets here as 401.
pub(super) async fn limit_wrong_keys<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    let address = address_of(&request).filter(|_| shows_a_key(request.headers()));
    let answer = next(request).await;
    let is_wrong_key =
        answer.extensions().get::<Problem>().is_some_and(|problem| problem.code == ProblemCode::Unauthorized);
    let Some(address) = address.filter(|_| is_wrong_key) else {
        return answer;
    };
    match app.rate_limits.wrong_keys.take(address, app.context.clock.now()) {
        Ok(()) => answer,
        Err(wait) => too_many(wait),
    }
}

/// Where a request comes from.
pub(crate) fn address_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().map(|peer| peer.0.ip())
}

pub(crate) fn too_many(wait_ms: i64) -> Response {
    let seconds = wait_ms.max(1).unsigned_abs().div_ceil(1_000);
    let status = StatusCode::TOO_MANY_REQUESTS;
    let told = format!("too many requests of this address, try again in {seconds} s");
    let mut answer = Problem::new(ProblemCode::of_status(status.as_u16()), told).into_response();
    *answer.status_mut() = status;
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// A token bucket for each address, each kept as the one moment at which it is full again.
pub(crate) struct Buckets {
    burst: i64,
    every_ms: i64,
    addresses: usize,
    full_at: Mutex<HashMap<Option<IpAddr>, i64>>,
}

impl Buckets {
    fn new(burst: i64, every_ms: i64) -> Self {
        Self { burst, every_ms, addresses: ADDRESSES, full_at: Mutex::default() }
    }

    fn remembering(self, addresses: usize) -> Self {
        Self { addresses, ..self }
    }

    /// Takes a token, or says in how many ms there is one.
    pub(crate) fn take(&self, address: IpAddr, now: Millis) -> Result<(), i64> {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let who = Some(network(address));
        if all.len() >= self.addresses && !all.contains_key(&who) {
            all.retain(|_, full_at| *full_at > now.0);
        }
        let has_place = all.len() < self.addresses || all.contains_key(&who);
        let full_at = all.entry(who.filter(|_| has_place)).or_insert(now.0);
        // A clock that was set back must not lock anybody out for longer than an empty bucket does.
        let used = (*full_at - now.0).clamp(0, self.burst * self.every_ms);
        let wait = used - (self.burst - 1) * self.every_ms;
        if wait > 0 {
            return Err(wait);
        }
        *full_at = now.0 + used + self.every_ms;
        Ok(())
    }
}

/// An IPv6 customer has a whole /64 to come from.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_burst_is_served_and_then_as_many_as_time_gives() {
        let rate_limits = RateLimits::new(1_000);
        let open = |at| rate_limits.open.take(ip("192.0.2.1"), Millis(at));
        assert!((0..OPEN_BURST).all(|_| open(0).is_ok()));
        assert_eq!(open(0), Err(OPEN_EVERY_MS));
        assert_eq!(open(OPEN_EVERY_MS - 1), Err(1));
        assert!(open(OPEN_EVERY_MS).is_ok() && open(OPEN_EVERY_MS).is_err());
        let a_second_later = OPEN_EVERY_MS + 1_000;
        assert!((0..50).all(|_| open(a_second_later).is_ok()) && open(a_second_later).is_err());
        assert!(rate_limits.open.take(ip("192.0.2.2"), Millis(0)).is_ok(), "another address is not hurt");
    }

    #[test]
    fn ten_wrong_keys_a_minute_are_told_so() {
        let rate_limits = RateLimits::new(1_000);
        let wrong = |at| rate_limits.wrong_keys.take(ip("192.0.2.1"), Millis(at));
        assert!((0..10).all(|_| wrong(0).is_ok()));
        assert_eq!(wrong(0), Err(6_000));
        assert!((0..10).all(|_| wrong(60_000).is_ok()));
        assert!(wrong(60_000).is_err());
    }

    #[test]
    fn ten_tests_of_a_subscription_and_then_one_each_six_seconds() {
        let rate_limits = RateLimits::new(1_000);
        let test = |at| rate_limits.push_tests.take(ip("192.0.2.1"), Millis(at));
        assert!((0..10).all(|_| test(0).is_ok()));
        assert_eq!((test(0), test(5_999)), (Err(6_000), Err(1)));
        assert!(test(6_000).is_ok() && test(6_000).is_err());
    }

    #[test]
    fn new_subscriptions_of_an_address_are_bounded_by_the_day() {
        let rate_limits = RateLimits::new(100);
        let subscribe = |at| rate_limits.subscriptions.take(ip("192.0.2.1"), Millis(at));
        assert!((0..100).all(|_| subscribe(0).is_ok()));
        assert_eq!(subscribe(0), Err(DAY_MS / 100));
        assert!((0..100).all(|_| subscribe(DAY_MS).is_ok()) && subscribe(DAY_MS).is_err());
        let most = RateLimits::new(1_000_000).subscriptions;
        assert_eq!((most.burst, most.every_ms), (1_000_000, 86));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let buckets = Buckets::new(1, 1_000);
        assert!(buckets.take(ip("192.0.2.1"), Millis(1_000_000)).is_ok());
        assert_eq!(buckets.take(ip("192.0.2.1"), Millis(0)), Err(1_000));
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one() {
        let buckets = Buckets::new(1, 1_000);
        assert!(buckets.take(ip("2001:db8::1"), Millis(0)).is_ok());
        assert!(buckets.take(ip("2001:db8::ffff"), Millis(0)).is_err());
        assert!(buckets.take(ip("2001:db8:0:1::1"), Millis(0)).is_ok());
        assert!(buckets.take(ip("192.0.2.1"), Millis(0)).is_ok());
        assert!(buckets.take(ip("::ffff:192.0.2.1"), Millis(0)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_the_overflow_shares_one_count() {
        let buckets = Buckets::new(1, 1_000);
        let take = |n: usize, at| {
            let octets = u32::try_from(n).expect("few").to_be_bytes();
            buckets.take(IpAddr::from(octets), Millis(at))
        };
        assert!((0..ADDRESSES).all(|n| take(n, 0).is_ok()));
        assert!(take(ADDRESSES, 0).is_ok(), "the first of the overflow");
        assert!(take(ADDRESSES + 1, 0).is_err());
        assert_eq!(buckets.full_at.lock().expect("whole").len(), ADDRESSES + 1);
        assert!(take(ADDRESSES + 1, 1_000).is_ok(), "who has settled is forgotten");
        assert_eq!(buckets.full_at.lock().expect("whole").len(), 1);
    }
}
