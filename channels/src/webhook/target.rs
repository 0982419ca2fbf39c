//! An endpoint prepared for sending: everything that is the same for every attempt is computed once.
//! Contains secrets: `Debug` shows the URL only.

use std::fmt;

use domain::{
    endpoint::{CustomHeaders, OWNED_HEADERS},
    signature::SigningKeys,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::{
    outbound::USER_AGENT,
    report::{HeaderRecord, MASK},
};

/// The destination of one endpoint's deliveries. Created once and kept until the endpoint changes.
pub struct WebhookTarget {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) recorded: HeaderRecord,
    pub(super) keys: SigningKeys,
}

impl WebhookTarget {
    /// Creates a target at `url`. The body is `application/json` unless a custom header says otherwise; each delivery is
    /// signed with those of `keys` that are valid when it is sent.
    #[must_use]
    pub fn new(url: Url, custom: &CustomHeaders, keys: SigningKeys) -> Self {
        Self::build(url, custom.iter(), keys)
    }

    fn build<'a>(url: Url, custom: impl Iterator<Item = (&'a str, &'a str)>, keys: SigningKeys) -> Self {
        let mut headers = HeaderMap::with_capacity(16);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let custom: Vec<_> = custom.filter_map(|(name, value)| checked(name, value)).collect();
        let recorded = record(&headers, &custom);
        for (name, value) in custom {
            headers.insert(name, value);
        }
        Self { url, headers, recorded, keys }
    }
}

/// Drops invalid custom headers. Registration rejects them already; this is the last check before sending.
fn checked(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(name != header::CONTENT_TYPE);
    (!OWNED_HEADERS.contains(&name.as_str())).then_some((name, value))
}

/// Records our headers with their values and custom ones masked: any custom value may be a credential.
fn record(ours: &HeaderMap, custom: &[(HeaderName, HeaderValue)]) -> HeaderRecord {
    let kept = ours.iter().filter(|(name, _)| custom.iter().all(|(other, _)| other != name));
    let all = kept.chain(custom.iter().map(|(name, value)| (name, value)));
    HeaderRecord::from_pairs(all.map(|(name, value)| {
        let shown = if value.is_sensitive() { MASK } else { value.to_str().unwrap_or(MASK) };
        (name.as_str(), shown)
    }))
}

impl fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookTarget").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use domain::signature::SigningSecret;

    use super::*;

    fn target(custom: &[(&str, &str)]) -> WebhookTarget {
        let url = "https://example.com/secret-path".parse().expect("a URL");
        WebhookTarget::build(url, custom.iter().copied(), SigningSecret::generate().into())
    }

    #[test]
    fn custom_values_are_masked_but_the_content_type() {
        let target =
            target(&[("content-type", "text/plain"), ("x-api-key", "k"), ("authorization", "Bearer t")]);
        assert_eq!(target.headers["content-type"], "text/plain");
        assert_eq!(target.headers["x-api-key"], "k");
        let recorded: serde_json::Value = serde_json::from_str(target.recorded.as_json()).expect("JSON");
        assert_eq!(
            recorded,
            serde_json::json!({"user-agent": USER_AGENT, "content-type": "text/plain", "x-api-key": "…", "authorization": "…"})
        );
        let debug = format!("{target:?} {:?}", target.headers);
        assert!(!debug.contains("Bearer") && !debug.contains("secret-path"), "{debug}");
    }

    #[test]
    fn names_that_the_sender_owns_never_come_from_outside() {
        let owned: Vec<_> = OWNED_HEADERS.iter().map(|name| (*name, "x")).collect();
        let target =
            target(&[&owned[..], &[("Host", "x"), ("bad name", "x"), ("bad-value", "a\r\nb")]].concat());
        let names: Vec<_> = target.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["content-type", "user-agent"]);
    }
}
