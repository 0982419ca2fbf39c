//! Host and Origin checks: they keep web pages from driving a local server by a rebound name (`Host`) or by a form of
//! another origin (`Origin`). Loopback is not private.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
};

use axum::extract::Request;
use http::{
    HeaderMap, Method, Version,
    header::{HOST, ORIGIN},
    uri::Authority,
};
use platform::config::{Config, CorsOrigins};
use url::Url;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostOriginError {
    /// It names no host.
    MissingHost,
    /// It names a host that could be a rebound name.
    ForeignHost,
    /// A page of another origin sends it, and it writes.
    ForeignOrigin,
}

/// Which hosts are served, and which origins may write.
#[derive(Clone, Debug)]
pub struct OriginPolicy {
    /// Whether the Host check is off. That requires an API key, which a page at a rebound name lacks. Listening on a private
    /// address does not protect: a page in the owner's browser reaches private networks, too.
    any_host: bool,
    /// `PUBLIC_URL`.
    public_url: Url,
    /// Origins that settings allow, as browsers write them.
    origins: HashSet<String>,
    writers: Writers,
}

/// Who may write.
#[derive(Clone, Copy, Debug)]
enum Writers {
    /// Programs, which send no `Origin`, and pages of our own or allowed origins.
    Programs {
        /// Whether pages of every origin may write: the setting asks for it, and a key keeps strangers out.
        any_origin: bool,
        /// Whether they may at the paths for pages, key or no key.
        any_page: bool,
        /// Returns whether a path is made for pages of other origins.
        is_for_pages: fn(&str) -> bool,
    },
    /// Pages of the host that is asked, as far as the browser tells.
    OwnPages,
}

impl OriginPolicy {
    /// The policy of an API that programs call. `is_for_pages` returns whether a path is made for pages of other origins;
    /// `CORS_ORIGINS` decides which of them may write there.
    #[must_use]
    pub fn for_api(config: &Config, is_for_pages: fn(&str) -> bool) -> Self {
        let has_key = config.admin_api_key.is_some();
        let cors = &config.cors_origins;
        let writers = Writers::Programs {
            any_origin: has_key && *cors == CorsOrigins::Any,
            any_page: matches!(cors, CorsOrigins::AnyForNotifications | CorsOrigins::Any),
            is_for_pages,
        };
        Self::new(config, has_key, writers)
    }

    /// The policy of pages that only their own forms may drive, on a listener at `address`.
    #[must_use]
    pub fn for_pages(config: &Config, address: SocketAddr) -> Self {
        let is_on_loopback = address.ip().to_canonical().is_loopback();
        Self::new(config, config.admin_api_key.is_some() && !is_on_loopback, Writers::OwnPages)
    }

    fn new(config: &Config, any_host: bool, writers: Writers) -> Self {
        let origins = match &config.cors_origins {
            CorsOrigins::These(origins) => origins.iter().cloned().collect(),
            _ => HashSet::new(),
        };
        Self { any_host, public_url: config.public_url.clone(), origins, writers }
    }

    /// Checks `Host`, and `Origin` on everything that writes.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn check(&self, request: &Request) -> Result<(), HostOriginError> {
        if !names_a_host(request) {
            // Every client of HTTP/1.1 names a host. Load balancers probe by HTTP/1.0 without; browsers, which a rebound
            // name could lead here, never do.
            let is_old = request.version() == Version::HTTP_10;
            if is_old && is_probe(request.uri().path()) {
                return Ok(());
            }
            if !is_old || matches!(self.writers, Writers::OwnPages) {
                return Err(HostOriginError::MissingHost);
            }
        }
        let host = host_of(request);
        if !self.any_host && !host.as_ref().is_some_and(|host| self.is_ours(host.host())) {
            return Err(HostOriginError::ForeignHost);
        }
        if self.is_write(request.method()) && !self.lets_write(request, host.as_ref()) {
            return Err(HostOriginError::ForeignOrigin);
        }
        Ok(())
    }

    /// Returns whether the page that sends this, if it is one, may write at its path.
    #[must_use]
    pub fn may_write(&self, request: &Request) -> bool {
        self.lets_write(request, host_of(request).as_ref())
    }

    fn is_write(&self, method: &Method) -> bool {
        match self.writers {
            Writers::Programs { .. } => !matches!(*method, Method::GET | Method::HEAD),
            Writers::OwnPages => !method.is_safe(),
        }
    }

    fn lets_write(&self, request: &Request, host: Option<&Authority>) -> bool {
        match self.writers {
            Writers::Programs { any_origin, any_page, is_for_pages } => {
                let is_open = any_page && is_for_pages(request.uri().path());
                is_open || !self.is_foreign(request.headers(), host, any_origin)
            }
            Writers::OwnPages => is_of_own_page(request.headers(), host),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        cannot_be_rebound(host) || is_host_of(&self.public_url, host) || self.is_of_allowed_pages(host)
    }

    fn is_of_allowed_pages(&self, host: &str) -> bool {
        let mut pages = self.origins.iter().filter_map(|origin| origin.parse::<Url>().ok());
        pages.any(|page| is_host_of(&page, host))
    }

    /// Whether a page of another origin sends this. Programs other than browsers send no `Origin`.
    fn is_foreign(&self, headers: &HeaderMap, host: Option<&Authority>, any_origin: bool) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return false;
        };
        let Some(origin) = origin.to_str().ok().filter(|_| origins.next().is_none()) else {
            return true;
        };
        if any_origin || self.origins.contains(origin) {
            return false;
        }
        let Ok(origin) = origin.parse::<Url>() else {
            return true;
        };
        origin.origin() != self.public_url.origin() && !host.is_some_and(|host| is_same(&origin, host))
    }
}

/// Whether a page of the host that is asked sends this, as far as the browser tells.
fn is_of_own_page(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        // Plain HTTP beyond loopback: browsers leave Sec-Fetch-Site out, but send the Origin of every POST.
        (None, Some(origin)) => {
            let origin = origin.parse::<Url>().ok();
            origin.zip(host).is_some_and(|(origin, host)| is_same(&origin, host))
        }
        (None, None) => false,
    }
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
mod tests;
