//! Load shedding: bounds on the requests in flight, in total and for an address. Health checks bypass both.

use std::net::IpAddr;

use axum::{extract::Request, response::Response};
use tokio::sync::Semaphore;

use super::per_address::PerAddress;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// Its address has too many in flight.
    Address,
    /// The process has too many in flight.
    Process,
}

/// The requests in flight.
pub struct LoadShed {
    in_flight: Semaphore,
    of_address: PerAddress,
}

impl LoadShed {
    /// Lets `in_flight` requests in at once, and `of_address` of each address that is counted.
    #[must_use]
    pub fn new(in_flight: usize, of_address: usize) -> Self {
        Self { in_flight: Semaphore::new(in_flight), of_address: PerAddress::new(of_address) }
    }

    /// Passes the request on, or refuses it. `counted` returns the address to count it by; `None` counts it in the total only.
    pub async fn run<Answer: Future<Output = Response>>(
        &self,
        request: Request,
        counted: impl FnOnce(&Request) -> Option<IpAddr>,
        refuse: impl FnOnce(Shed) -> Response,
        next: impl FnOnce(Request) -> Answer,
    ) -> Response {
        if request.uri().path().starts_with("/health") {
            return next(request).await;
        }
        let address = counted(&request);
        let Some(_of_address) =
            address.map_or(Some(None), |address| self.of_address.enter(address).map(Some))
        else {
            return refuse(Shed::Address);
        };
        match self.in_flight.try_acquire() {
            Ok(_permit) => next(request).await,
            Err(_) => refuse(Shed::Process),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::IntoResponse};
    use http::StatusCode;

    use super::*;

    async fn ask(shed: &LoadShed, path: &str, address: &str, while_it_runs: impl AsyncFnOnce()) -> u16 {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let refuse = |shed| match shed {
            Shed::Address => StatusCode::TOO_MANY_REQUESTS.into_response(),
            Shed::Process => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
        let answer = shed.run(
            request,
            |_| address.parse().ok(),
            refuse,
            async |_| {
                while_it_runs().await;
                StatusCode::OK.into_response()
            },
        );
        answer.await.status().as_u16()
    }

    #[tokio::test]
    async fn one_request_more_than_fits_is_refused_and_health_is_not() {
        let shed = LoadShed::new(2, 1);
        let outer = ask(&shed, "/", "192.0.2.1", async || {
            assert_eq!(ask(&shed, "/", "192.0.2.1", async || {}).await, 429);
            let inner = ask(&shed, "/", "no address", async || {
                assert_eq!(ask(&shed, "/", "192.0.2.2", async || {}).await, 503);
                assert_eq!(ask(&shed, "/health/live", "192.0.2.1", async || {}).await, 200);
            });
            assert_eq!(inner.await, 200);
        });
        assert_eq!(outer.await, 200);
        assert_eq!(ask(&shed, "/", "192.0.2.1", async || {}).await, 200, "the places are free again");
    }
}
