//! CORS (Fetch, §3.3): which origins' pages may read answers, and what they may send. Never with credentials: callers
//! authenticate with a key, which no browser adds on its own.

use axum::{body::Body, extract::Request, response::Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use platform::config::{Config, CorsOrigins};

use super::host_origin::OriginPolicy;

/// The methods of a page that may write, and of one that may not.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");
const READS: HeaderValue = HeaderValue::from_static("GET, HEAD");
/// Seconds for which a browser remembers a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// Headers of answers that a page may read beside those that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");
/// Longest list of request headers that is allowed, in bytes.
const MAX_ASKED: usize = 1_024;
/// Any origin.
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Who may read the answers at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers<'a> {
    NoOrigin,
    Anybody,
    These(&'a [String]),
}

/// The CORS rules of a listener.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: CorsOrigins,
    is_for_pages: fn(&str) -> bool,
}

impl Cors {
    /// The rules of `CORS_ORIGINS`. `is_for_pages` returns whether a path is made for pages of other origins.
    #[must_use]
    pub fn new(config: &Config, is_for_pages: fn(&str) -> bool) -> Self {
        Self { origins: config.cors_origins.clone(), is_for_pages }
    }

    /// Answers preflights, which get no further, and adds the headers that let pages read an answer.
    pub async fn run<Answer: Future<Output = Response>>(
        &self,
        policy: &OriginPolicy,
        request: Request,
        next: impl FnOnce(Request) -> Answer,
    ) -> Response {
        let readers = self.readers(request.uri().path());
        if readers == Readers::NoOrigin {
            return next(request).await;
        }
        let allowed = readers.allow(request.headers());
        let mut answer = match &allowed {
            Some(_) if is_preflight(&request) => preflight(&request, policy.may_write(&request)),
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

    /// Who may read the answers at a path.
    fn readers(&self, path: &str) -> Readers<'_> {
        match &self.origins {
            CorsOrigins::AnyForNotifications if (self.is_for_pages)(path) => Readers::Anybody,
            CorsOrigins::AnyForNotifications | CorsOrigins::NoOrigin => Readers::NoOrigin,
            CorsOrigins::Any => Readers::Anybody,
            CorsOrigins::These(origins) => Readers::These(origins),
        }
    }
}

impl Readers<'_> {
    /// The value of `Access-Control-Allow-Origin` if the page that asks may read; `None` also when no page asks.
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

/// Returns whether a browser asks what a page may send.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The page may send any header that it asks for: none of them means more from a page than from another caller.
fn preflight(request: &Request, writes: bool) -> Response {
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

    fn allowed(readers: Readers<'_>, origins: &[&str]) -> Option<HeaderValue> {
        let headers: Vec<_> = origins.iter().map(|origin| ("origin", *origin)).collect();
        readers.allow(request("GET", &headers).headers())
    }

    #[test]
    fn the_setting_says_who_reads_where() {
        let these = vec!["https://a.test".to_owned()];
        let is_for_pages = |path: &str| path.starts_with("/for-pages/");
        for (path, is_for_any) in [("/for-pages/stats", true), ("/for-pages", false), ("/", false)] {
            let cors = |origins| Cors { origins, is_for_pages };
            let by_default = cors(CorsOrigins::AnyForNotifications);
            assert_eq!(by_default.readers(path) == Readers::Anybody, is_for_any, "{path}");
            assert_eq!(cors(CorsOrigins::Any).readers(path), Readers::Anybody, "{path}");
            assert_eq!(cors(CorsOrigins::NoOrigin).readers(path), Readers::NoOrigin, "{path}");
            let listed = cors(CorsOrigins::These(these.clone()));
            assert_eq!(listed.readers(path), Readers::These(&these), "{path}");
        }
    }

    #[test]
    fn an_allowed_origin_is_echoed_and_another_is_not() {
        let these = ["https://a.test".to_owned(), "https://b.test:8443".to_owned()];
        let these = Readers::These(&these);
        for own in ["https://a.test", "https://b.test:8443"] {
            assert_eq!(allowed(these, &[own]), Some(own.parse().expect("a value")));
        }
        for other in ["https://a.test:443", "http://a.test", "null", "https://a.test.evil.test", ""] {
            assert_eq!(allowed(these, &[other]), None, "{other}");
        }
        assert_eq!(allowed(these, &["https://a.test", "https://a.test"]), None);
        assert_eq!(
            (allowed(Readers::Anybody, &["null"]), allowed(Readers::Anybody, &[])),
            (Some(ANYBODY), None)
        );
        assert_eq!(allowed(Readers::NoOrigin, &["https://a.test"]), None);
    }

    #[test]
    fn headers_are_allowed_up_to_a_bound() {
        let of = |length: usize| {
            let asked = "x".repeat(length);
            let answer = preflight(&request("OPTIONS", &[("access-control-request-headers", &asked)]), true);
            answer.headers().get(ACCESS_CONTROL_ALLOW_HEADERS).map(HeaderValue::len)
        };
        assert_eq!((of(MAX_ASKED), of(MAX_ASKED + 1)), (Some(MAX_ASKED), None));
    }
}
