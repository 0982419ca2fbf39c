//! Sorts transport errors into the classes that people filter by.
//! Looks at the whole chain of causes; takes over no text that may hold a URL or a header.

use std::{error::Error, io, iter};

use domain::delivery::ErrorClass;

use crate::guard::{GuardError, shortage::is_shortage};

/// Most characters of a failure's message.
const MAX_MESSAGE: usize = 200;

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class that it is counted under.
    pub class: ErrorClass,
    /// A few words for people, without secrets.
    pub message: String,
    /// Whether this process lacked what it takes to send: a file descriptor, memory, a thread, a local port.
    pub is_local_shortage: bool,
}

impl Failure {
    /// A failure of this class.
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), is_local_shortage: false }
    }

    fn local_shortage(message: String) -> Self {
        Self { is_local_shortage: true, ..Self::new(ErrorClass::Internal, message) }
    }

    /// What the client's error came from. `resolving` tells whether a name was still being resolved, `to_v6` whether the
    /// receiver has IPv6 addresses only.
    pub(super) fn of(error: &reqwest::Error, resolving: bool, to_v6: bool) -> Self {
        if is_local_shortage(error, to_v6) {
            return Self::local_shortage(innermost(error));
        }
        let class = classify(error, resolving);
        let message = match class {
            ErrorClass::ConnectTimeout => "no connection within the connect deadline".to_owned(),
            ErrorClass::Dns if error.is_timeout() => {
                "the name did not resolve within the connect deadline".to_owned()
            }
            ErrorClass::Internal if error.is_builder() => "the URL can't be sent to".to_owned(),
            _ => innermost(error),
        };
        Self::new(class, message)
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        if is_lookup_shortage(&error) {
            return Self::local_shortage(error.to_string());
        }
        Self::new(guard_class(&error), error.to_string())
    }
}

const fn guard_class(error: &GuardError) -> ErrorClass {
    match error {
        GuardError::Unresolved(_) => ErrorClass::Dns,
        GuardError::NotPublic | GuardError::NoHost | GuardError::PortZero => ErrorClass::Guard,
    }
}

fn is_local_shortage(error: &reqwest::Error, to_v6: bool) -> bool {
    if find::<GuardError>(error).is_some_and(is_lookup_shortage) {
        return true;
    }
    let shortage = causes(error).filter_map(|cause| cause.downcast_ref()).find(|cause| is_shortage(cause));
    // A machine without IPv6 has no local address for a receiver that has nothing else, and never will have.
    shortage.is_some_and(|error: &io::Error| !(to_v6 && error.kind() == io::ErrorKind::AddrNotAvailable))
}

fn is_lookup_shortage(error: &GuardError) -> bool {
    matches!(error, GuardError::Unresolved(unresolved) if unresolved.is_local_shortage())
}

fn classify(error: &reqwest::Error, resolving: bool) -> ErrorClass {
    if error.is_builder() {
        return ErrorClass::Internal;
    }
    if let Some(refusal) = find::<GuardError>(error) {
        return guard_class(refusal);
    }
    if find::<rustls::Error>(error).is_some() {
        return ErrorClass::Tls;
    }
    if error.is_connect() { connect_class(error, resolving) } else { exchange_class(error) }
}

/// Before the request could be written.
fn connect_class(error: &reqwest::Error, resolving: bool) -> ErrorClass {
    if error.is_dns() || resolving {
        return ErrorClass::Dns;
    }
    if error.is_timeout() {
        return ErrorClass::ConnectTimeout;
    }
    // Wrappers have kinds of their own, which say nothing.
    let Some(cause) = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last() else {
        return ErrorClass::Protocol;
    };
    match cause.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            ErrorClass::Reset
        }
        // Nothing is read before TLS is set up.
        io::ErrorKind::UnexpectedEof => ErrorClass::Tls,
        io::ErrorKind::AddrNotAvailable => ErrorClass::Internal,
        _ => ErrorClass::Refused,
    }
}

/// While the request was written or the answer awaited.
fn exchange_class(error: &reqwest::Error) -> ErrorClass {
    if error.is_timeout() {
        return ErrorClass::Timeout;
    }
    if find::<io::Error>(error).is_some() {
        return ErrorClass::Reset;
    }
    match find::<hyper::Error>(error) {
        Some(cause) if cause.is_incomplete_message() || cause.is_canceled() || cause.is_closed() => {
            ErrorClass::Reset
        }
        _ if is_hung_up(error) => ErrorClass::Reset,
        _ => ErrorClass::Protocol,
    }
}

/// Whether the receiver broke it off in HTTP/2's way, by GOAWAY or `RST_STREAM`. What our side objects to is "detected".
// hyper keeps h2's errors to itself: they are known by their words alone. A test holds them.
fn is_hung_up(error: &reqwest::Error) -> bool {
    let received = ["connection error received", "stream error received"];
    causes(error).map(ToString::to_string).any(|text| received.iter().any(|words| text.starts_with(words)))
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn innermost(error: &reqwest::Error) -> String {
    let last = causes(error).skip(1).last();
    last.map_or_else(
        || "the request failed".to_owned(),
        |cause| cause.to_string().chars().take(MAX_MESSAGE).collect(),
    )
}

/// The error and what it came from. An `io::Error` hides what it was made of from `source`, so it is asked apart.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        }
    })
}
