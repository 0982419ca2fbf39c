//! Settings that name hosts: listening addresses, networks, origins of browsers.

use std::net::{IpAddr, SocketAddr};

use domain::notification::{HostPattern, PushServices};
use ipnet::IpNet;
use url::{Host, Url};

use super::{
    env_reader::{EnvReader, list},
    types::CorsOrigins,
};

/// Most addresses that the API listens on.
const MAX_ADDRESSES: usize = 8;
/// Most exceptions to the outbound guard.
const MAX_NETWORKS: usize = 64;
/// Most push services beside the known ones.
const MAX_PUSH_SERVICES: usize = 64;
/// Most origins.
const MAX_ORIGINS: usize = 64;
/// The default address of the API.
const API_DEFAULT: &str = "127.0.0.1:8081";
/// The port of the API when only a host is given.
const API_PORT: u16 = 8081;

/// Returns `API_ADDR`, else `WEBHOOK_HOST` and `WEBHOOK_PORT`, else the default.
pub(super) fn api_addrs(reader: &mut EnvReader<'_>) -> Vec<SocketAddr> {
    let default = || vec![API_DEFAULT.parse().expect("the default is an address")];
    let host = reader.optional("WEBHOOK_HOST", host);
    let port = reader.optional("WEBHOOK_PORT", |text| {
        text.parse::<u16>().map_err(|_| format!("{text:?} is not a port from 0 to 65535"))
    });
    if reader.text("API_ADDR").is_some() {
        return reader.or("API_ADDR", default(), |text| list(text, MAX_ADDRESSES, socket_addr));
    }
    let loopback = IpAddr::from([127, 0, 0, 1]);
    vec![SocketAddr::new(host.unwrap_or(loopback), port.unwrap_or(API_PORT))]
}

/// Parses one address to listen on: an IP address and a port, or `localhost` and a port.
pub(super) fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    let rule = || format!("{text:?} is not an address like 127.0.0.1:8081 or [::1]:8081");
    match text.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| SocketAddr::from(([127, 0, 0, 1], port))).map_err(|_| rule()),
        None => text.parse().map_err(|_| rule()),
    }
}

fn host(text: &str) -> Result<IpAddr, String> {
    let text = if text == "localhost" { "127.0.0.1" } else { text };
    text.parse().map_err(|_| format!("{text:?} is not an IP address"))
}

/// Whether only this machine can reach an address.
pub(super) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The loopback networks.
pub(super) fn loopback_networks() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a literal network")).to_vec()
}

/// Parses networks separated by commas (a lone address is a network of one), or `none`.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    list(text, MAX_NETWORKS, |entry| {
        let network = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
        network
            .map_err(|_| format!("{entry:?} is not a network like 10.0.0.0/8 or fd00::/8, and not \"none\""))
    })
}

/// Parses push services separated by commas, added to the known ones: names, `*.name` for subdomains, `*` for every host.
pub(super) fn push_services(text: &str) -> Result<PushServices, String> {
    let pattern = |entry: &str| entry.parse::<HostPattern>().map_err(|wrong| wrong.to_string());
    list(text, MAX_PUSH_SERVICES, pattern).map(PushServices::known_and)
}

/// Returns the default of `PUBLIC_URL`: the first address, or loopback if that listens on every interface.
pub(super) fn url_of(address: SocketAddr) -> Url {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    };
    let address = SocketAddr::new(host, address.port());
    Url::parse(&format!("http://{address}")).expect("an address makes a URL")
}

/// Parses origins, separated by commas or as a JSON list; `*` is every origin.
pub(super) fn origins(text: &str) -> Result<CorsOrigins, String> {
    let origins = if text.starts_with('[') {
        let entries: Vec<String> =
            serde_json::from_str(text).map_err(|_| "is not a JSON list of strings".to_owned())?;
        if entries.is_empty() {
            return Ok(CorsOrigins::NoOrigin);
        }
        list(&entries.join(","), MAX_ORIGINS, origin)?
    } else {
        list(text, MAX_ORIGINS, origin)?
    };
    let any = origins.iter().any(|origin| origin == "*");
    Ok(if any { CorsOrigins::Any } else { CorsOrigins::These(origins) })
}

fn origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)))
            && (url.path(), url.query(), url.fragment()) == ("/", None, None)
            && url.username().is_empty()
    });
    url.map(|url| url.origin().ascii_serialization())
        .ok_or_else(|| format!("{text:?} is not an origin like https://app.example.com, and not \"*\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_with_prefix_without_and_as_none() {
        assert_eq!(networks("none"), Ok(Vec::new()));
        let read = networks("10.0.0.0/8, 192.168.1.7,::1").expect("valid");
        let words: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["10.0.0.0/8", "192.168.1.7/32", "::1/128"]);
        for bad in ["10.0.0.0/33", "localhost", "none,10.0.0.0/8", "10.0.0.0/8,"] {
            assert!(networks(bad).is_err(), "{bad}");
        }
        assert!(networks(&vec!["10.0.0.1"; MAX_NETWORKS].join(",")).is_ok());
        assert!(networks(&vec!["10.0.0.1"; MAX_NETWORKS + 1].join(",")).is_err());
    }

    #[test]
    fn push_services_are_added_to_the_known_ones() {
        let read = push_services("push.example.com, *.example.org").expect("patterns");
        let allows = |name: &str| read.allow(&Host::Domain(name));
        assert!(allows("push.example.com") && allows("a.example.org") && allows("fcm.googleapis.com"));
        assert!(!allows("example.org"));
        for bad in ["https://push.example.com", "push.example.com:443", "10.0.0.1", "a,,b"] {
            assert!(push_services(bad).is_err(), "{bad}");
        }
        assert!(push_services(&vec!["a.example"; MAX_PUSH_SERVICES].join(",")).is_ok());
        assert!(push_services(&vec!["a.example"; MAX_PUSH_SERVICES + 1].join(",")).is_err());
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for (address, loopback) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("10.0.0.1:1", false),
        ] {
            assert_eq!(is_loopback(&address.parse().expect("address")), loopback, "{address}");
        }
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        let these = |list: &[&str]| Ok(CorsOrigins::These(list.iter().map(ToString::to_string).collect()));
        assert_eq!(origins("https://A.example/"), these(&["https://a.example"]));
        assert_eq!(
            origins("http://localhost:3000, https://b.example:443"),
            these(&["http://localhost:3000", "https://b.example"])
        );
        assert_eq!(origins(r#"["http://localhost:3000"]"#), these(&["http://localhost:3000"]));
        assert_eq!(origins("*"), Ok(CorsOrigins::Any));
        assert_eq!(origins(r#"["*"]"#), Ok(CorsOrigins::Any));
        assert_eq!(origins("[]"), Ok(CorsOrigins::NoOrigin));
        for bad in ["example.com", "https://a.example/path", "https://a:b@c.example", "[1]", "ftp://a"] {
            assert!(origins(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_made_of_an_address() {
        for (address, url) in [
            ("127.0.0.1:8081", "http://127.0.0.1:8081/"),
            ("0.0.0.0:80", "http://127.0.0.1/"),
            ("[::]:8081", "http://[::1]:8081/"),
            ("10.0.0.7:8081", "http://10.0.0.7:8081/"),
        ] {
            assert_eq!(url_of(address.parse().expect("address")).as_str(), url);
        }
    }
}
