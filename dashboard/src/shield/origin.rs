//! Who may drive the pages: `Host` against DNS rebinding where they listen on loopback only, `Sec-Fetch-Site` or
//! `Origin` on everything that changes something. Pure decisions over headers.

use std::net::IpAddr;

use http::{HeaderMap, Method, Uri, header};
use url::Url;

/// Whether `host` names this machine, or the host that `PUBLIC_URL` names.
pub(crate) fn names_us(host: &str, public_url: &Url) -> bool {
    let name = without_port(host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) if address.to_canonical().is_loopback() => true,
        _ => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost") || public_url.host_str() == Some(&name)
        }
    }
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
        let public = Url::parse("http://hooks.example.com:8081").expect("a URL");
        for ours in [
            "localhost",
            "localhost:5555",
            "LOCALHOST:5555",
            "app.localhost",
            "127.0.0.1:5555",
            "127.9.9.9",
            "[::1]:5555",
            "[::1]",
            "hooks.example.com:5555",
            "hooks.example.com.",
        ] {
            assert!(names_us(ours, &public), "{ours}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example:5555",
            "127.0.0.1.evil.example",
            "192.0.2.1:5555",
            "[::2]",
        ] {
            assert!(!names_us(foreign, &public), "{foreign}");
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
