//! Keeps web pages from driving a local server: by a rebound name (`Host`), or by a form of another origin (`Origin`).
//! Loopback is not private.

use std::{collections::HashSet, net::IpAddr};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use http::{
    HeaderMap, Method, Version,
    header::{HOST, ORIGIN},
    uri::Authority,
};
use platform::config::{Config, CorsOrigins};
use url::Url;

use crate::{app::App, problem::Problem};

/// Who may be meant by `Host`, and who may write by `Origin`.
#[derive(Clone, Debug)]
pub(crate) struct OriginPolicy {
    /// Whether any name is served: a key keeps out callers that use a rebound name. Without a key the address that is
    /// listened on says nothing: a page in the owner's browser reaches private networks, too.
    pub(crate) any_host: bool,
    /// `PUBLIC_URL`.
    pub(crate) public_url: Url,
    /// Whether pages of every origin may write: asked for, and a key keeps strangers out.
    pub(crate) any_origin: bool,
    /// Whether they may on the surface that is made for pages, key or no key.
    pub(crate) any_page: bool,
    /// Origins that settings allow, as browsers write them.
    pub(crate) origins: HashSet<String>,
}

/// The layer.
pub(super) async fn check<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    match app.addresses.judge(&request) {
        Ok(()) => next(request).await,
        Err(code) => Problem::from(code).into_response(),
    }
}

impl OriginPolicy {
    /// As the settings have it.
    pub(crate) fn of(config: &Config) -> Self {
        let keyed = config.admin_api_key.is_some();
        let origins = match &config.cors_origins {
            CorsOrigins::These(origins) => origins.iter().cloned().collect(),
            _ => HashSet::new(),
        };
        Self {
            any_host: keyed,
            public_url: config.public_url.clone(),
            any_origin: keyed && config.cors_origins == CorsOrigins::Anybody,
            any_page: matches!(config.cors_origins, CorsOrigins::AnyForNotifications | CorsOrigins::Anybody),
            origins,
        }
    }

    fn judge(&self, request: &Request) -> Result<(), ProblemCode> {
        let host = host_of(request);
        if !names_a_host(request) {
            // Every client of HTTP/1.1 says it. Load balancers probe by HTTP/1.0 without; browsers, which a rebound name
            // could lead here, never do.
            if request.version() != Version::HTTP_10 {
                return Err(ProblemCode::BadRequest);
            }
            if is_probe(request.uri().path()) {
                return Ok(());
            }
        }
        if !self.any_host && !host.as_ref().is_some_and(|host| self.is_ours(host.host())) {
            return Err(ProblemCode::HostRefused);
        }
        let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if writes && !self.lets_write(request, host.as_ref()) {
            return Err(ProblemCode::OriginRefused);
        }
        Ok(())
    }

    /// Whether the page that sends this, if it is one, may write where it asks.
    pub(super) fn may_write(&self, request: &Request) -> bool {
        self.lets_write(request, host_of(request).as_ref())
    }

    fn lets_write(&self, request: &Request, host: Option<&Authority>) -> bool {
        let is_open = self.any_page && is_made_for_pages(request.uri().path());
        is_open || !self.is_foreign(request.headers(), host)
    }

    fn is_ours(&self, host: &str) -> bool {
        cannot_be_rebound(host) || is_host_of(&self.public_url, host) || self.is_of_our_pages(host)
    }

    fn is_of_our_pages(&self, host: &str) -> bool {
        let mut pages = self.origins.iter().filter_map(|origin| origin.parse::<Url>().ok());
        pages.any(|page| is_host_of(&page, host))
    }

    /// Whether a page of another origin sends this. Programs other than browsers send no `Origin`.
    fn is_foreign(&self, headers: &HeaderMap, host: Option<&Authority>) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return false;
        };
        let Some(origin) = origin.to_str().ok().filter(|_| origins.next().is_none()) else {
            return true;
        };
        if self.any_origin || self.origins.contains(origin) {
            return false;
        }
        let Ok(origin) = origin.parse::<Url>() else {
            return true;
        };
        origin.origin() != self.public_url.origin() && !host.is_some_and(|host| is_same(&origin, host))
    }
}

/// Surface C, the notifications: whose pages may use it is for `CORS_ORIGINS` to say.
pub(super) fn is_made_for_pages(path: &str) -> bool {
    path.starts_with("/api/") || path == "/webhook/update"
}

fn names_a_host(request: &Request) -> bool {
    request.headers().contains_key(HOST) || request.uri().authority().is_some()
}

fn is_probe(path: &str) -> bool {
    path == "/metrics" || path.starts_with("/health")
}

fn host_of(request: &Request) -> Option<Authority> {
    let mut named = request.headers().get_all(HOST).iter();
    let host: Authority = match (named.next(), named.next()) {
        (Some(one), None) => one.to_str().ok()?.parse().ok()?,
        (None, _) => request.uri().authority()?.clone(),
        _ => return None,
    };
    (!host.as_str().contains('@')).then_some(host)
}

fn is_same(origin: &Url, host: &Authority) -> bool {
    let default = if origin.scheme() == "https" { 443 } else { 80 };
    origin.host_str().is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
        && origin.port_or_known_default() == Some(host.port_u16().unwrap_or(default))
}

fn is_host_of(url: &Url, host: &str) -> bool {
    url.host_str().is_some_and(|ours| ours.eq_ignore_ascii_case(host.trim_end_matches('.')))
}

/// Whether this host cannot be pointed elsewhere: an address needs no DNS, `localhost` and names without a dot, such as
/// those of a compose file, are not in the public one.
fn cannot_be_rebound(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let has_no_dot = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    literal.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost") || has_no_dot
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn rules(any_host: bool) -> OriginPolicy {
        let public_url = "https://hooks.example.org/base".parse().expect("a literal");
        let origins = HashSet::from(["https://app.example.org".to_owned()]);
        OriginPolicy { any_host, public_url, any_origin: false, any_page: true, origins }
    }

    fn judged(any_host: bool, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(), ProblemCode> {
        judged_by(&rules(any_host), method, path, headers)
    }

    fn judged_by(
        rules: &OriginPolicy,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), ProblemCode> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        rules.judge(&request.body(Body::empty()).expect("a request"))
    }

    #[test]
    fn without_a_key_no_name_is_served_that_somebody_could_rebind() {
        let ours = [
            "localhost",
            "LOCALHOST:8081",
            "localhost.",
            "app.localhost",
            "127.0.0.1:8081",
            "127.9.9.9",
            "[::1]:8081",
            "0.0.0.0:8081",
            "[::]:8081",
            "[::ffff:127.0.0.1]",
            "10.0.0.1",
            "192.0.2.1:8081",
            "[2001:db8::1]:8081",
            "api:8081",
            "my_api-1",
            "hooks.example.org",
            "HOOKS.example.org:443",
            "hooks.example.org.",
            "app.example.org:3000",
        ];
        for host in ours {
            assert_eq!(judged(false, "GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.test",
            "evil.",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "10.0.0.1.",
            "",
            "a@localhost:x",
        ] {
            assert_eq!(judged(false, "GET", "/", &[("host", host)]), Err(ProblemCode::HostRefused), "{host}");
            let judged = judged(true, "GET", "/", &[("host", host)]);
            assert_eq!(judged, Ok(()), "{host} with a key");
        }
        assert_eq!(judged(false, "GET", "/", &[]), Err(ProblemCode::BadRequest), "HTTP/1.1 has a host");
        let twice = [("host", "localhost"), ("host", "evil.test")];
        assert_eq!(judged(false, "GET", "/", &twice), Err(ProblemCode::HostRefused));
    }

    #[test]
    fn without_a_host_http_1_0_gets_health_and_metrics_and_http_1_1_nothing() {
        let judged = |any_host, version, path: &str| {
            let request = Request::builder().version(version).uri(path).body(Body::empty());
            rules(any_host).judge(&request.expect("a request"))
        };
        for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
            assert_eq!(judged(false, Version::HTTP_10, path), Ok(()), "{path}");
            assert_eq!(judged(true, Version::HTTP_11, path), Err(ProblemCode::BadRequest), "{path}");
        }
        assert_eq!(judged(false, Version::HTTP_10, "/event_type"), Err(ProblemCode::HostRefused));
        assert_eq!(judged(true, Version::HTTP_10, "/event_type"), Ok(()), "with a key any name is served");
    }

    #[test]
    fn a_write_of_a_foreign_page_is_refused_except_on_the_surface_for_pages() {
        let host = ("host", "localhost:8081");
        let by = |origin| [host, ("origin", origin)];
        let own = ["http://localhost:8081", "https://hooks.example.org", "https://app.example.org"];
        for origin in own {
            assert_eq!(judged(true, "POST", "/webhook/register", &by(origin)), Ok(()), "{origin}");
        }
        let foreign =
            ["null", "https://evil.test", "http://localhost:3000", "http://localhost", "file://", ""];
        for origin in foreign {
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                let judged = judged(true, method, "/webhook/register", &by(origin));
                assert_eq!(judged, Err(ProblemCode::OriginRefused), "{method} {origin}");
            }
            assert_eq!(judged(true, "GET", "/event_type", &by(origin)), Ok(()), "{origin}");
            assert_eq!(judged(true, "POST", "/api/push/subscribe", &by(origin)), Ok(()), "{origin}");
            assert_eq!(judged(true, "POST", "/webhook/update", &by(origin)), Ok(()), "{origin}");
        }
        assert_eq!(judged(true, "POST", "/webhook/register", &[host]), Ok(()), "no browser, no origin");
        assert_eq!(judged(true, "POST", "/x", &[("host", "a.test"), ("origin", "https://a.test")]), Ok(()));
    }

    #[test]
    fn where_no_page_is_allowed_the_surface_for_pages_is_closed_to_foreign_ones_too() {
        let rules = OriginPolicy { any_page: false, ..rules(true) };
        for path in ["/api/push/subscribe", "/webhook/update"] {
            let by = |origin| judged_by(&rules, "POST", path, &[("host", "a.test"), ("origin", origin)]);
            for own in ["http://a.test", "https://hooks.example.org", "https://app.example.org"] {
                assert_eq!(by(own), Ok(()), "{path} {own}");
            }
            assert_eq!(by("https://evil.test"), Err(ProblemCode::OriginRefused), "{path}");
        }
    }
}
