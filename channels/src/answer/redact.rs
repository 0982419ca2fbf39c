//! Redacts secrets of a request that receivers echo: error pages repeat the path, some services every header. Replaces each
//! occurrence in a response with [`MASK`]; a response without any is not copied.

use std::borrow::Cow;

use bytes::Bytes;
use domain::delivery::RESPONSE_BODY_KEPT;
use http::{HeaderMap, HeaderValue};

use crate::report::MASK;

/// Removes secrets from reports. Contains the secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Vec<String>);

impl Redactor {
    /// Redacts these texts, longest first so that a text inside another leaves no rest. Empty ones are ignored.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// Returns the text without the secrets.
    pub(crate) fn redact_text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }

    /// Returns the headers without the secrets in their values.
    pub(crate) fn redact_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        for value in headers.values_mut() {
            if let Cow::Owned(masked) = self.masked(value.as_bytes(), false) {
                *value = HeaderValue::from_bytes(&masked).expect("bytes of a value, and the mask");
            }
        }
        headers
    }

    /// Returns the beginning of a body without the secrets, nor the prefix of one that was cut off at
    /// [`RESPONSE_BODY_KEPT`]; never longer than that.
    pub(crate) fn redact_body(&self, body: Bytes) -> Bytes {
        let is_cut = body.len() >= RESPONSE_BODY_KEPT;
        match self.masked(&body, is_cut) {
            Cow::Borrowed(_) => body,
            Cow::Owned(mut masked) => {
                masked.truncate(RESPONSE_BODY_KEPT);
                masked.into()
            }
        }
    }

    fn masked<'a>(&self, bytes: &'a [u8], is_cut: bool) -> Cow<'a, [u8]> {
        let mut masked = Cow::Borrowed(bytes);
        for secret in self.0.iter().map(String::as_bytes) {
            if let Some(without) = replaced(&masked, secret) {
                masked = Cow::Owned(without);
            }
            let rest = if is_cut { prefix_at_the_end(&masked, secret) } else { 0 };
            if rest > 0 {
                let mut kept = masked.into_owned();
                kept.truncate(kept.len() - rest);
                masked = Cow::Owned(kept);
            }
        }
        masked
    }
}

/// Replaces each `secret` in `bytes` with [`MASK`]; `None` when there is none.
fn replaced(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut rest = bytes;
    while let Some(at) = find(rest, secret) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(MASK.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    if rest.len() == bytes.len() {
        return None;
    }
    kept.extend_from_slice(rest);
    Some(kept)
}

fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    bytes.windows(secret.len()).position(|window| window == secret)
}

/// Returns the length of the longest prefix of `secret` at the end of `bytes`.
fn prefix_at_the_end(bytes: &[u8], secret: &[u8]) -> usize {
    let longest = bytes.len().min(secret.len().saturating_sub(1));
    (1..=longest).rev().find(|length| bytes.ends_with(&secret[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use http::header::{LINK, LOCATION};

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(["token-1".to_owned(), String::new(), "/send/token-1".to_owned()])
    }

    #[test]
    fn every_occurrence_of_a_secret_is_masked_and_the_rest_stays() {
        let body = redactor()
            .redact_body(Bytes::from_static(b"no /send/token-1 here, token-1 is not known: token-"));
        assert_eq!(body, "no … here, … is not known: token-");
        assert_eq!(redactor().redact_text("GET /send/token-1".to_owned()), "GET …");
    }

    #[test]
    fn text_without_secrets_is_unchanged() {
        let body = Bytes::from_static(b"\xff token-2");
        assert_eq!(redactor().redact_body(body.clone()).as_ptr(), body.as_ptr(), "not copied");
        assert_eq!(Redactor::default().redact_body(body.clone()), body);
    }

    #[test]
    fn the_prefix_of_a_truncated_secret_is_removed() {
        for kept_bytes in 0..=7 {
            let body =
                [vec![b'x'; RESPONSE_BODY_KEPT - kept_bytes], b"token-1"[..kept_bytes].to_vec()].concat();
            let kept = redactor().redact_body(body.into());
            assert!(kept.len() <= RESPONSE_BODY_KEPT && !kept.ends_with(b"t") && !kept.ends_with(b"token-1"));
            assert!(kept.starts_with(&vec![b'x'; RESPONSE_BODY_KEPT - kept_bytes]), "{kept_bytes}");
        }
        assert_eq!(redactor().redact_body(Bytes::from_static(b"token-")), "token-", "a whole body");
    }

    #[test]
    fn masks_that_are_longer_than_their_secrets_do_not_lengthen_a_body() {
        let body = "a".repeat(RESPONSE_BODY_KEPT);
        assert!(Redactor::new(["a".to_owned()]).redact_body(body.into()).len() <= RESPONSE_BODY_KEPT);
    }

    #[test]
    fn headers_are_masked_by_value() {
        let mut headers = HeaderMap::new();
        headers.append(LOCATION, HeaderValue::from_static("https://push.example/send/token-1"));
        headers.append(LINK, HeaderValue::from_static("</a>"));
        headers.append(LINK, HeaderValue::from_static("</token-1>"));
        let kept = redactor().redact_headers(headers);
        assert_eq!(kept[LOCATION].as_bytes(), "https://push.example…".as_bytes());
        let links: Vec<_> = kept.get_all(LINK).iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(links, [b"</a>".as_slice(), "</…>".as_bytes()]);
    }
}
