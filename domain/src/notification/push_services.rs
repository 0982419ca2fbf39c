//! The push services that subscriptions may use. Subscribing needs no key, so without a list anyone could make this server
//! send requests to any host.

use std::{fmt, str::FromStr};

use url::Host;

/// The push services of common browsers: Chrome and others on Chromium; Firefox; Safari; Edge on Windows.
pub const KNOWN_PUSH_SERVICES: [&str; 7] = [
    "fcm.googleapis.com",
    "android.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
];

/// The allowed push services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushServices {
    patterns: Vec<HostPattern>,
}

/// A host name, the subdomains of one (`*.example.com`, at any depth, without the domain itself), or any host (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This name alone.
    Name(String),
    /// Every name below this one.
    Below(String),
    /// Every host.
    Any,
}

/// Not a host name, `*.` and a host name, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host name like push.example.com, *.example.com or *")]
pub struct HostPatternError(String);

impl Default for PushServices {
    fn default() -> Self {
        Self::known_and([])
    }
}

impl PushServices {
    /// Allows the known services and these.
    ///
    /// # Panics
    /// Never: the known ones are host names.
    #[must_use]
    pub fn known_and(more: impl IntoIterator<Item = HostPattern>) -> Self {
        let known = KNOWN_PUSH_SERVICES.map(|text| text.parse().expect("a literal pattern"));
        Self { patterns: known.into_iter().chain(more).collect() }
    }

    /// Whether subscriptions at this host are accepted.
    #[must_use]
    pub fn allow(&self, host: &Host<&str>) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(host))
    }

    /// Whether the list contains this very host: its service gets its own lane before it has accepted a message. Subdomains of a
    /// listed domain don't, because there can be any number of them.
    #[must_use]
    pub fn name(&self, host: &Host<&str>) -> bool {
        let is_name = |pattern: &&HostPattern| matches!(pattern, HostPattern::Name(_));
        self.patterns.iter().filter(is_name).any(|pattern| pattern.matches(host))
    }
}

impl HostPattern {
    fn matches(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Name(known), Host::Domain(name)) => is_same(name, known),
            (Self::Below(domain), Host::Domain(name)) => {
                let below = name.trim_end_matches('.').strip_suffix(domain.as_str());
                below.and_then(|below| below.strip_suffix('.')).is_some_and(|below| !below.is_empty())
            }
            (Self::Name(_) | Self::Below(_), Host::Ipv4(_) | Host::Ipv6(_)) => false,
        }
    }
}

/// Compares host names; a trailing dot is ignored (RFC 1034 §3.1).
fn is_same(name: &str, known: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name) == known
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (name, of): (_, fn(String) -> Self) =
            text.strip_prefix("*.").map_or((text, Self::Name), |below| (below, Self::Below));
        match Host::parse(name) {
            Ok(Host::Domain(name)) if !name.ends_with('.') && !name.contains('*') => Ok(of(name)),
            _ => Err(HostPatternError(text.to_owned())),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(domain) => write!(f, "*.{domain}"),
            Self::Any => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(services: &PushServices, host: &str) -> bool {
        let url = url::Url::parse(&format!("https://{host}/x")).expect(host);
        services.allow(&url.host().expect(host))
    }

    #[test]
    fn services_of_browsers_are_known_and_others_are_not() {
        let known = PushServices::default();
        for host in [
            "fcm.googleapis.com",
            "FCM.googleapis.com.",
            "updates.push.services.mozilla.com",
            "updates-autopush.prod.push.services.mozilla.com",
            "web.push.apple.com",
            "wns2-par02p.notify.windows.com",
        ] {
            assert!(allows(&known, host), "{host}");
        }
        for host in [
            "push.example.com",
            "googleapis.com",
            "evilfcm.googleapis.com",
            "fcm.googleapis.com.evil.example",
            "notify.windows.com",
            "evilnotify.windows.com",
            "8.8.8.8",
            "[2001:4860:4860::8888]",
        ] {
            assert!(!allows(&known, host), "{host}");
        }
    }

    #[test]
    fn a_list_adds_names_domains_or_every_host() {
        let with = |pattern: &str| PushServices::known_and([pattern.parse().expect(pattern)]);
        assert!(allows(&with("push.example.com"), "push.example.com"));
        assert!(!allows(&with("push.example.com"), "a.push.example.com"));
        assert!(
            allows(&with("*.example.com"), "a.b.example.com")
                && !allows(&with("*.example.com"), "example.com")
        );
        assert!(allows(&with("*"), "8.8.8.8") && allows(&with("*"), "any.example"));
        assert!(allows(&with("*"), "fcm.googleapis.com"));
    }

    #[test]
    fn only_a_name_that_is_listed_itself_is_trusted_before_it_has_taken_a_message() {
        let services =
            PushServices::known_and(["*".parse().expect("any"), "a.example".parse().expect("a name")]);
        let named = |host: &str| services.name(&Host::Domain(host));
        assert!(named("a.example") && named("fcm.googleapis.com"));
        assert!(!named("b.example") && !named("x.notify.windows.com"));
    }

    #[test]
    fn patterns_are_written_as_they_are_read_and_others_are_refused() {
        for text in ["*", "*.example.com", "push.example.com", "xn--mller-kva.example"] {
            assert_eq!(text.parse::<HostPattern>().expect(text).to_string(), text);
        }
        assert_eq!(
            "Müller.example".parse::<HostPattern>().expect("a name").to_string(),
            "xn--mller-kva.example"
        );
        for text in [
            "",
            "*.",
            "a.*.example",
            "**",
            "*.*.example",
            "1.2.3.4",
            "*.1.2.3.4",
            "[::1]",
            "a b",
            "a/b",
            "a:1",
            "a.example.",
        ] {
            assert_eq!(text.parse::<HostPattern>(), Err(HostPatternError(text.to_owned())), "{text}");
        }
    }
}
