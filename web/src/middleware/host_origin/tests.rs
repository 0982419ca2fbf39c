use axum::body::Body;

use super::*;

fn is_for_pages(path: &str) -> bool {
    path.starts_with("/for-pages/")
}

fn policy(any_host: bool, writers: Writers) -> OriginPolicy {
    let public_url = "https://hooks.example.org/base".parse().expect("a literal");
    let origins = HashSet::from(["https://app.example.org".to_owned()]);
    OriginPolicy { any_host, public_url, origins, writers }
}

fn api(any_host: bool) -> OriginPolicy {
    policy(any_host, Writers::Programs { any_origin: false, any_page: true, is_for_pages })
}

fn pages(any_host: bool) -> OriginPolicy {
    policy(any_host, Writers::OwnPages)
}

fn check(
    policy: &OriginPolicy,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(), HostOriginError> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    policy.check(&request.body(Body::empty()).expect("a request"))
}

#[test]
fn without_a_key_no_name_is_served_that_could_be_rebound() {
    let ours = [
        "localhost",
        "LOCALHOST:8081",
        "localhost.",
        "app.localhost",
        "127.0.0.1:8081",
        "127.9.9.9",
        "[::1]:8081",
        "[::1]",
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
    let foreign = [
        "evil.test",
        "evil.",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "10.0.0.1.",
        "",
        "a@localhost:x",
        "a@localhost.evil.test",
    ];
    for policy_of in [api, pages] {
        for host in ours {
            assert_eq!(check(&policy_of(false), "GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in foreign {
            let checked = check(&policy_of(false), "GET", "/", &[("host", host)]);
            assert_eq!(checked, Err(HostOriginError::ForeignHost), "{host}");
            assert_eq!(check(&policy_of(true), "GET", "/", &[("host", host)]), Ok(()), "{host} with a key");
        }
        let twice = [("host", "localhost"), ("host", "evil.test")];
        assert_eq!(check(&policy_of(false), "GET", "/", &twice), Err(HostOriginError::ForeignHost));
        assert_eq!(check(&policy_of(false), "GET", "/", &[]), Err(HostOriginError::MissingHost));
    }
}

#[test]
fn without_a_host_http_1_0_gets_health_and_metrics_and_http_1_1_nothing() {
    let check = |policy: OriginPolicy, version, path: &str| {
        let request = Request::builder().version(version).uri(path).body(Body::empty());
        policy.check(&request.expect("a request"))
    };
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        for policy_of in [api, pages] {
            assert_eq!(check(policy_of(false), Version::HTTP_10, path), Ok(()), "{path}");
            let checked = check(policy_of(true), Version::HTTP_11, path);
            assert_eq!(checked, Err(HostOriginError::MissingHost), "{path}");
        }
    }
    assert_eq!(check(api(false), Version::HTTP_10, "/event_type"), Err(HostOriginError::ForeignHost));
    assert_eq!(check(api(true), Version::HTTP_10, "/event_type"), Ok(()), "with a key any name is served");
    assert_eq!(check(pages(true), Version::HTTP_10, "/"), Err(HostOriginError::MissingHost));
}

#[test]
fn a_write_of_a_foreign_page_is_refused_except_at_the_paths_for_pages() {
    let (api, host) = (api(true), ("host", "localhost:8081"));
    let by = |origin| [host, ("origin", origin)];
    for origin in ["http://localhost:8081", "https://hooks.example.org", "https://app.example.org"] {
        assert_eq!(check(&api, "POST", "/webhook/register", &by(origin)), Ok(()), "{origin}");
    }
    for origin in ["null", "https://evil.test", "http://localhost:3000", "http://localhost", "file://", ""] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let checked = check(&api, method, "/webhook/register", &by(origin));
            assert_eq!(checked, Err(HostOriginError::ForeignOrigin), "{method} {origin}");
        }
        assert_eq!(check(&api, "GET", "/event_type", &by(origin)), Ok(()), "{origin}");
        assert_eq!(check(&api, "POST", "/for-pages/x", &by(origin)), Ok(()), "{origin}");
    }
    assert_eq!(check(&api, "POST", "/webhook/register", &[host]), Ok(()), "no browser, no origin");
    assert_eq!(check(&api, "POST", "/x", &[("host", "a.test"), ("origin", "https://a.test")]), Ok(()));
}

#[test]
fn where_no_page_is_allowed_the_paths_for_pages_are_closed_to_foreign_ones_too() {
    let writers = Writers::Programs { any_origin: false, any_page: false, is_for_pages };
    let policy = policy(true, writers);
    let by = |origin| check(&policy, "POST", "/for-pages/x", &[("host", "a.test"), ("origin", origin)]);
    for own in ["http://a.test", "https://hooks.example.org", "https://app.example.org"] {
        assert_eq!(by(own), Ok(()), "{own}");
    }
    assert_eq!(by("https://evil.test"), Err(HostOriginError::ForeignOrigin));
}

#[test]
fn only_pages_of_the_same_host_drive_pages() {
    let write = |pairs: &[_]| check(&pages(true), "POST", "/login", pairs);
    let host = ("host", "127.0.0.1:5555");
    assert_eq!(write(&[host, ("sec-fetch-site", "same-origin")]), Ok(()));
    assert_eq!(write(&[host, ("origin", "http://127.0.0.1:5555")]), Ok(()));
    for foreign in [
        &[host, ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:5555")][..],
        &[host, ("sec-fetch-site", "cross-site")],
        &[host, ("origin", "http://127.0.0.1:8081")],
        &[host, ("origin", "https://app.example.org")],
        &[host, ("origin", "null")],
        &[host],
    ] {
        assert_eq!(write(foreign), Err(HostOriginError::ForeignOrigin), "{foreign:?}");
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(check(&pages(true), method, "/", &[host]), Ok(()), "{method}");
    }
}

#[test]
fn pages_on_loopback_serve_no_other_name_even_with_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = |address: &str| {
        let read = |name: &str| match name {
            "DATA_DIR" => Some(folder.path().display().to_string()),
            "ADMIN_API_KEY" => Some("a-key-of-16-characters".to_owned()),
            "DASHBOARD_ADDR" => Some(address.to_owned()),
            _ => None,
        };
        Config::load(platform::config::Role::AllInOne, read).expect("settings")
    };
    for (address, is_served) in [
        ("127.0.0.1:5555", false),
        ("127.1.2.3:1", false),
        ("[::1]:5555", false),
        ("[::ffff:127.0.0.1]:5555", false),
        ("0.0.0.0:5555", true),
        ("[::]:5555", true),
        ("[::ffff:192.0.2.1]:5555", true),
    ] {
        let config = config(address);
        let policy = OriginPolicy::for_pages(&config, config.dashboard_addr);
        let checked = check(&policy, "GET", "/", &[("host", "hooks.example.com")]);
        assert_eq!(checked.is_ok(), is_served, "{address}");
    }
}
