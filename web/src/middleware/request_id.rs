//! The id under which a request is found in every log. The caller's id is kept when it is fit to be logged.

use std::{convert::Infallible, sync::Arc};

use axum::extract::{FromRequestParts, Request};
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use uuid::Uuid;

/// The header of requests and of answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from a caller.
const MAX_CHARS: usize = 128;

/// A request's id: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's id, or a new one.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let given = headers.get(&HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_fit(id));
        Self(given.map_or_else(|| Uuid::now_v7().to_string().into(), Into::into))
    }

    /// The id that the access log gave to a request, if it passed it.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        request.extensions().get().cloned()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the value of [`HEADER`].
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("-"))
    }
}

fn is_fit(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_CHARS && id.bytes().all(|byte| byte.is_ascii_graphic())
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self::from_headers(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).expect("a header value"));
        RequestId::from_headers(&headers)
    }

    #[test]
    fn a_fit_id_is_kept_and_another_replaced() {
        let longest = "x".repeat(MAX_CHARS);
        assert_eq!(of(longest.as_bytes()).as_str(), longest);
        for unfit in [&b""[..], b"two words", b"caf\xc3\xa9", "x".repeat(MAX_CHARS + 1).as_bytes()] {
            assert!(of(unfit).as_str().parse::<Uuid>().is_ok(), "{unfit:?}");
        }
        assert!(RequestId::from_headers(&HeaderMap::new()).as_str().parse::<Uuid>().is_ok());
    }
}
