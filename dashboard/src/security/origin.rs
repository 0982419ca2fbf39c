//! Who may drive the pages: `Host` against DNS rebinding where no key is asked for, `Sec-Fetch-Site` or
//! `Origin` on everything that changes something. Pure decisions over headers.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Method, Uri, header};
use platform::config::{Config, CorsOrigins};
use url::Url;

/// Under which names the pages are shown.
#[derive(Debug)]
pub(crate) struct OriginPolicy {
    any: bool,
    ours: Vec<String>,
}

impl OriginPolicy {
    /// Any name where a key is asked for and others than this machine may come; else those that cannot be rebound,
    /// and the hosts of `PUBLIC_URL` and `CORS_ORIGINS`.
    pub(crate) fn of(config: &Config) -> Self {
        let pages = match &config.cors_origins {
            CorsOrigins::These(origins) => origins.as_slice(),
            _ => &[],
        };
        let pages = pages.iter().filter_map(|page| page.parse::<Url>().ok());
        let urls = pages.chain([config.public_url.clone()]);
        let any = config.admin_api_key.is_some() && !is_on_loopback(config.dashboard_addr);
        Self { any, ours: urls.filter_map(|url| url.host_str().map(str::to_owned)).collect() }
    }

    /// Whether pages are shown to who asks for `host`, as the header has it.
    pub(crate) fn include(&self, host: &str) -> bool {
        let name = without_port(host);
        self.any || cannot_be_rebound(name) || self.ours.iter().any(|ours| is_same_name(ours, name))
    }
}

fn is_on_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn is_same_name(ours: &str, name: &str) -> bool {
    ours.eq_ignore_ascii_case(name.trim_end_matches('.'))
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

/// The host that a request asks for.
pub(crate) fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let authority = uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()))
}

/// Whether a request may change something: it comes from a page of ours, as far as a browser tells.
pub(crate) fn may_write(method: &Method, headers: &HeaderMap, uri: &Uri) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        // Plain HTTP beyond loopback: browsers leave Sec-Fetch-Site out, but send the Origin of every POST.
        (None, Some(origin)) => host(headers, uri).is_some_and(|host| is_same_host(origin, host)),
        (None, None) => false,
    }
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    authority.eq_ignore_ascii_case(host)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")))
            .collect()
    }

    #[test]
    fn a_rebound_name_is_not_ours() {
        let ours = ["hooks.example.com", "app.example.com"].map(str::to_owned).to_vec();
        let names = OriginPolicy { any: false, ours };
        for ours in [
            "localhost",
            "localhost:5555",
            "LOCALHOST:5555",
            "app.localhost",
            "127.0.0.1:5555",
            "127.9.9.9",
            "[::1]:5555",
            "[::1]",
            "[::ffff:127.0.0.1]:5555",
            "0.0.0.0:5555",
            "[::]:5555",
            "192.0.2.1:5555",
            "[2001:db8::1]:5555",
            "hookyard:5555",
            "app.example.com:5555",
            "hooks.example.com:5555",
            "hooks.example.com.",
        ] {
            assert!(names.include(ours), "{ours}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example:5555",
            "127.0.0.1.evil.example",
            "192.0.2.1.",
            "evil.",
            "a@localhost.evil.example",
        ] {
            assert!(!names.include(foreign), "{foreign}");
        }
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for address in ["127.0.0.1:5555", "127.1.2.3:1", "[::1]:5555", "[::ffff:127.0.0.1]:5555"] {
            assert!(is_on_loopback(address.parse().expect("an address")), "{address}");
        }
        for address in ["0.0.0.0:5555", "[::]:5555", "[::ffff:192.0.2.1]:5555"] {
            assert!(!is_on_loopback(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn only_pages_of_ours_may_write() {
        let write = |pairs: &[_]| may_write(&Method::POST, &headers(pairs), &Uri::from_static("/login"));
        let host = ("host", "127.0.0.1:5555");
        assert!(write(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(write(&[host, ("origin", "http://127.0.0.1:5555")]));
        assert!(!write(&[host, ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:5555")]));
        assert!(!write(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!write(&[host, ("origin", "http://127.0.0.1:8081")]));
        assert!(!write(&[host, ("origin", "null")]));
        assert!(!write(&[host]));
        assert!(may_write(&Method::GET, &headers(&[host]), &Uri::from_static("/")));
    }
}
