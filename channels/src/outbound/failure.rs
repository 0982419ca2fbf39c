//! Classifies transport errors for filters and statistics.
//! Inspects the whole chain of causes; copies no text that may contain a URL or a header.

use std::{error::Error, io, iter};

use domain::delivery::ErrorClass;

use crate::guard::{GuardError, shortage::is_shortage};

/// Most characters of a failure's message.
const MAX_MESSAGE: usize = 200;

/// Why there was no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error class.
    pub class: ErrorClass,
    /// A short message without secrets.
    pub message: String,
    /// Whether this process ran out of file descriptors, memory, threads or local ports.
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

    /// Classifies an error of the client. `resolving` says whether a name was still being resolved, `only_v6` whether the
    /// receiver has IPv6 addresses only.
    pub(super) fn from_client_error(error: &reqwest::Error, resolving: bool, only_v6: bool) -> Self {
        if is_local_shortage(error, only_v6) {
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

fn is_local_shortage(error: &reqwest::Error, only_v6: bool) -> bool {
    if find::<GuardError>(error).is_some_and(is_lookup_shortage) {
        return true;
    }
    let shortage = causes(error).filter_map(|cause| cause.downcast_ref()).find(|cause| is_shortage(cause));
    // A machine without IPv6 never has a local address for a receiver with IPv6 only.
    shortage.is_some_and(|error: &io::Error| !(only_v6 && error.kind() == io::ErrorKind::AddrNotAvailable))
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

/// Classifies an error before the request was written.
fn connect_class(error: &reqwest::Error, resolving: bool) -> ErrorClass {
    if error.is_dns() || resolving {
        return ErrorClass::Dns;
    }
    if error.is_timeout() {
        return ErrorClass::ConnectTimeout;
    }
    // Wrappers have uninformative kinds of their own.
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

/// Classifies an error while the request was written or the response awaited.
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
        _ if is_closed_by_peer(error) => ErrorClass::Reset,
        _ => ErrorClass::Protocol,
    }
}

/// Whether the receiver closed the exchange in HTTP/2, by GOAWAY or `RST_STREAM`. Errors that our side finds say "detected".
// hyper does not expose h2's errors: only their text identifies them. A test checks the text.
fn is_closed_by_peer(error: &reqwest::Error) -> bool {
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

/// Iterates over an error and its causes. `source` skips the inner error of an `io::Error`, so `get_ref` is used for it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        }
    })
}
