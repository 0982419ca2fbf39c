//! The URL of an endpoint. Checks syntax only: the outbound guard decides which addresses may be sent to, and no name is
//! resolved here.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// Most characters of an endpoint's URL.
pub const MAX_URL_CHARS: usize = 2_048;

/// An http or https URL that deliveries can be sent to. Keeps the original text.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    text: String,
    url: Url,
}

/// Why a text is rejected as the URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Above [`MAX_URL_CHARS`].
    #[error("has more than {MAX_URL_CHARS} characters")]
    TooLong,
    /// White space, line ends or control characters, which parsers drop silently.
    #[error("must not contain blanks or control characters")]
    Blank,
    /// Not an absolute URL.
    #[error("is not an absolute URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// Any scheme but http and https.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// `user:password@`; credentials belong in a custom header.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// A spelling that parsers normalise differently.
    #[error("must be written as http://host or https://host, with two slashes and no backslash")]
    Spelling,
    /// A host that no request can contain.
    #[error("has a host that is not a valid name or address")]
    Host,
    /// Port 0, where nothing can listen.
    #[error("must not use port 0")]
    PortZero,
}

impl EndpointUrl {
    /// Parses the URL of an endpoint: http or https, at most [`MAX_URL_CHARS`], with a host and without user info.
    /// A fragment is allowed and never sent.
    ///
    /// # Errors
    /// Names the first violated rule.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.chars().nth(MAX_URL_CHARS).is_some() {
            return Err(UrlError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UrlError::Blank);
        }
        let url = Url::parse(text)?;
        check(&url)?;
        check_spelling(text)?;
        Ok(Self { text: text.to_owned(), url })
    }

    /// Returns the original text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the parsed URL, for the guard and the sender.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

fn check(url: &Url) -> Result<(), UrlError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo);
    }
    match url.host() {
        Some(Host::Domain(name)) if !is_name(name) => return Err(UrlError::Host),
        None => return Err(UrlError::Host),
        Some(_) => {}
    }
    if url.port() == Some(0) {
        return Err(UrlError::PortZero);
    }
    Ok(())
}

/// Rejects spellings in which other parsers may find another host: ours fixes slashes and drops an empty user name.
fn check_spelling(text: &str) -> Result<(), UrlError> {
    let (_, rest) = text.split_once(':').ok_or(UrlError::Spelling)?;
    let rest = rest.strip_prefix("//").ok_or(UrlError::Spelling)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.is_empty() || authority.contains('\\') {
        return Err(UrlError::Spelling);
    }
    if authority.contains('@') { Err(UrlError::UserInfo) } else { Ok(()) }
}

/// Whether HTTP allows the host name: the URL parser accepts characters such as `{` and `'`, HTTP does not.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    name.bytes().all(allowed) && name.bytes().any(|byte| byte != b'.')
}

impl FromStr for EndpointUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> UrlError {
        EndpointUrl::parse(text).expect_err(text)
    }

    #[test]
    fn an_ordinary_url_keeps_its_text() {
        for text in [
            "https://webhook-test.com/2d082e807e30b6ac57ffebae73569ceb",
            "http://127.0.0.1:9000",
            "HTTPS://Example.com/a?b=c#d",
            "http://[::1]:8080/hook",
            "https://bücher.example/ä?ö",
            "http://my_service.internal./x",
            r"http://host/@a\b?c=@//d",
        ] {
            assert_eq!(EndpointUrl::parse(text).expect(text).as_str(), text);
        }
    }

    #[test]
    fn every_rule_has_its_error() {
        assert!(matches!(refused("webhook-test.com/x"), UrlError::NotAUrl(_)));
        assert!(matches!(refused(""), UrlError::NotAUrl(_)));
        assert!(matches!(refused("http://"), UrlError::NotAUrl(_)));
        assert!(matches!(refused("http://host:65536/"), UrlError::NotAUrl(_)));
        assert!(matches!(refused("http://1.2.3.256/"), UrlError::NotAUrl(_)));
        assert_eq!(refused("ftp://host/"), UrlError::Scheme);
        assert_eq!(refused("javascript:alert(1)"), UrlError::Scheme);
        assert_eq!(refused("file:///etc/passwd"), UrlError::Scheme);
        assert_eq!(refused("https://user@host/"), UrlError::UserInfo);
        assert_eq!(refused("https://:pass@host/"), UrlError::UserInfo);
        assert_eq!(refused("http://@h/"), UrlError::UserInfo);
        assert_eq!(refused("http://:@h/"), UrlError::UserInfo);
        for odd in [
            "http:h",
            "http:/h",
            "http:///x",
            "http:////h",
            r"http:\\h\x",
            r"http:/\h",
            r"http://h\x",
            r"http://\h",
        ] {
            assert_eq!(refused(odd), UrlError::Spelling, "{odd}");
        }
        assert_eq!(refused("https://{{host}}/"), UrlError::Host);
        assert_eq!(refused("https://./"), UrlError::Host);
        assert_eq!(refused("http://host:0/"), UrlError::PortZero);
        assert_eq!(refused(" http://host/"), UrlError::Blank);
        assert_eq!(refused("http://ho\nst/"), UrlError::Blank);
        assert_eq!(refused("http://host/\0"), UrlError::Blank);
    }

    #[test]
    fn length_is_counted_in_characters() {
        let of = |chars: usize| format!("http://host/{}", "ä".repeat(chars - 12));
        assert!(EndpointUrl::parse(&of(2_048)).is_ok());
        assert_eq!(refused(&of(2_049)), UrlError::TooLong);
    }
}
