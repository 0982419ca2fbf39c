//! Tests that every channel passes: the meaning of responses, the class of each failure, and what is never shown.
//!
//! A channel takes part by one file in `subjects/`: an `impl Subject`, which says how one message of it is sent to the
//! receiver of a scenario and what its answers mean, and `suite!(TheSubject)`, which makes a test of every scenario.

#[macro_use]
mod scenarios;

mod answers;
mod hangups;
mod http2;
pub(crate) mod receiver;
mod secrets;
mod slow;
mod subjects;
mod timing;
mod tls;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use channels::{Guard, Outbound, SendReport, SenderOptions};
use domain::{clock::Millis, delivery::SendResult};
use url::Url;

/// When every attempt of these tests is made.
pub(crate) const SENT_AT: Millis = Millis(1_700_000_000_123);
/// Long enough never to be met where it is not meant to.
pub(crate) const PATIENT: Duration = Duration::from_secs(10);
/// Short: these tests wait for it to pass.
const SHORT: Duration = Duration::from_millis(200);
/// Bytes of an answer's body where any will do.
const SMALL: usize = 64;

/// A channel, as the scenarios see it.
pub(crate) trait Subject: Sized {
    /// The status lines that are a success.
    const SUCCESSES: &'static [&'static str] =
        &["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Whatever"];
    /// What a 2xx comes to whose body is not whole, or not what [`Subject::success`] gives.
    const CUT_OFF: SendResult = SendResult::Accepted;

    /// What a failure with this status and the body [`Subject::failure`] comes to; an overload without its wait.
    fn meaning(status: u16) -> SendResult;

    /// A body that belongs to a success, of so many bytes: none, or at least [`SMALL`].
    fn success(bytes: usize) -> Vec<u8> {
        vec![b'x'; bytes]
    }

    /// A body that belongs to a failure.
    fn failure(status: u16) -> Vec<u8> {
        format!("why {status}").into_bytes()
    }

    /// A sender through this client.
    fn over(outbound: Outbound) -> Self;

    /// One attempt at [`SENT_AT`], in one request, at the receiver that `url` leads to.
    async fn send(&self, url: &Url, deadline: Duration) -> SendReport;

    /// What no report of a send to `url` may show, unless the receiver says it.
    fn secrets(url: &Url) -> Vec<String>;

    /// What no report may show, even if the receiver says it.
    fn secrets_said_back(url: &Url) -> Vec<String>;
}

pub(crate) fn loopback() -> Guard {
    Guard::new(["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network")).to_vec())
}

pub(crate) fn outbound() -> Outbound {
    Outbound::new(loopback(), &SenderOptions::default()).expect("a client")
}

/// An answer that is a success.
fn ok<S: Subject>() -> Vec<u8> {
    receiver::answer("200 OK", "", &S::success(SMALL))
}

async fn send_within<S: Subject>(url: Url, deadline: Duration) -> SendReport {
    S::over(outbound()).send(&url, deadline).await
}

async fn send<S: Subject>(url: Url) -> SendReport {
    send_within::<S>(url, PATIENT).await
}
