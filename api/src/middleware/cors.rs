//! Pages of which origins may read answers, and what they may send (Fetch, §3.3: CORS). Never with credentials: who calls
//! is said by a key, which no browser adds by itself.

use axum::{body::Body, extract::Request, response::Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use platform::config::CorsOrigins;

use super::host_origin::is_made_for_pages;
use crate::app::App;

/// What a page may do that may write, and one that may not.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");
const READS: HeaderValue = HeaderValue::from_static("GET, HEAD");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// Headers of answers that a page may read beside those that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");
/// Longest list of request headers that is allowed, in bytes.
const MAX_ASKED: usize = 1_024;
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Who may read the answers at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers<'a> {
    NoOrigin,
    Anybody,
    These(&'a [String]),
}

/// The layer. Preflights are answered here and get no further.
pub(super) async fn answer<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    let readers = Readers::at(request.uri().path(), &app.context.config.cors_origins);
    if readers == Readers::NoOrigin {
        return next(request).await;
    }
    let allowed = readers.allow(request.headers());
    let mut answer = match &allowed {
        Some(_) if is_preflight(&request) => granted(&request, app.addresses.may_write(&request)),
        _ => next(request).await,
    };
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    answer
}

impl<'a> Readers<'a> {
    fn at(path: &str, origins: &'a CorsOrigins) -> Self {
        match origins {
            CorsOrigins::AnyForNotifications if is_made_for_pages(path) => Self::Anybody,
            CorsOrigins::AnyForNotifications | CorsOrigins::NoOrigin => Self::NoOrigin,
            CorsOrigins::Anybody => Self::Anybody,
            CorsOrigins::These(origins) => Self::These(origins),
        }
    }

    /// What the page that asks is told, if it may read; none also when no page asks.
    fn allow(self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut given = headers.get_all(ORIGIN).iter();
        let origin = given.next().filter(|_| given.next().is_none())?;
        match self {
            Self::NoOrigin => None,
            Self::Anybody => Some(ANYBODY),
            Self::These(origins) => {
                origins.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }
}

/// Whether a browser asks what a page may send.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// It may send any header that it asks for: none of them means more from a page than from anybody else.
fn granted(request: &Request, writes: bool) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, if writes { METHODS } else { READS });
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    headers.insert(VARY, HeaderValue::from_static("access-control-request-headers"));
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(asked) = asked.filter(|asked| asked.len() <= MAX_ASKED) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("a request")
    }

    fn told(readers: Readers<'_>, origins: &[&str]) -> Option<HeaderValue> {
        let headers: Vec<_> = origins.iter().map(|origin| ("origin", *origin)).collect();
        readers.allow(request("GET", &headers).headers())
    }

    #[test]
    fn the_setting_says_who_reads_where() {
        let these = vec!["https://a.test".to_owned()];
        for (path, is_c) in [
            ("/api/stats", true),
            ("/webhook/update", true),
            ("/webhook/register", false),
            ("/v1/errors", false),
            ("/apiary", false),
            ("/", false),
        ] {
            let at = |origins: &CorsOrigins| Readers::at(path, origins) == Readers::Anybody;
            assert_eq!(at(&CorsOrigins::AnyForNotifications), is_c, "{path}");
            assert!(at(&CorsOrigins::Anybody), "{path}");
            assert_eq!(Readers::at(path, &CorsOrigins::NoOrigin), Readers::NoOrigin, "{path}");
            let setting = CorsOrigins::These(these.clone());
            assert_eq!(Readers::at(path, &setting), Readers::These(&these), "{path}");
        }
    }

    #[test]
    fn one_page_is_told_that_it_is_meant_and_another_is_not() {
        let these = ["https://a.test".to_owned(), "https://b.test:8443".to_owned()];
        let these = Readers::These(&these);
        for own in ["https://a.test", "https://b.test:8443"] {
            assert_eq!(told(these, &[own]), Some(own.parse().expect("a value")));
        }
        for other in ["https://a.test:443", "http://a.test", "null", "https://a.test.evil.test", ""] {
            assert_eq!(told(these, &[other]), None, "{other}");
        }
        assert_eq!(told(these, &["https://a.test", "https://a.test"]), None);
        assert_eq!((told(Readers::Anybody, &["null"]), told(Readers::Anybody, &[])), (Some(ANYBODY), None));
        assert_eq!(told(Readers::NoOrigin, &["https://a.test"]), None);
    }

    #[test]
    fn headers_are_allowed_up_to_a_bound() {
        let of = |length: usize| {
            let asked = "x".repeat(length);
            let granted = granted(&request("OPTIONS", &[("access-control-request-headers", &asked)]), true);
            granted.headers().get(ACCESS_CONTROL_ALLOW_HEADERS).map(HeaderValue::len)
        };
        assert_eq!((of(MAX_ASKED), of(MAX_ASKED + 1)), (Some(MAX_ASKED), None));
    }
}
