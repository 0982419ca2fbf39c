//! The platform's address and the request that is posted to it, from the command line.

use anyhow::{Context as _, Result, ensure};
use http::{HeaderName, HeaderValue, header};
use tokio::net::lookup_host;
use url::Url;

use crate::load::{LABEL_MARK, PostRequest};

/// Where to post, and what.
#[derive(Debug)]
pub(super) struct Target {
    /// `address:port` on loopback.
    pub(super) address: String,
    pub(super) request: PostRequest,
}

impl Target {
    /// Checks what the command line says.
    ///
    /// # Errors
    /// When the URL is not plain HTTP on loopback, a header is not valid, or the body has no place for a number.
    pub(super) async fn parse(url: Option<&str>, headers: &[String], body: Option<&str>) -> Result<Self> {
        let url: Url = url.context("--url is missing")?.parse().context("--url")?;
        ensure!(url.scheme() == "http", "--url must begin with http://");
        let body = body.context("--body is missing")?.to_owned();
        ensure!(body.contains(LABEL_MARK), "--body has no {LABEL_MARK}, by which arrivals are found");
        let address = loopback_address(&url).await?;
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let content_type = "application/json".to_owned();
        let request =
            PostRequest { path, content_type, body: body.into(), events: 1, headers: String::new() };
        let request = headers.iter().try_fold(request, |request, header| add_header(request, header))?;
        Ok(Self { address, request })
    }
}

/// Every address of the host must be on loopback: the load of a benchmark is for no other machine.
async fn loopback_address(url: &Url) -> Result<String> {
    let host = url.host_str().context("--url has no host")?;
    let port = url.port_or_known_default().context("--url has no port")?;
    let addresses: Vec<_> = lookup_host(format!("{host}:{port}")).await.context("--url")?.collect();
    ensure!(
        addresses.iter().all(|address| address.ip().is_loopback()),
        "--url is not on loopback: only this machine may be loaded"
    );
    // Servers that listen on both protocols are rarer than those that listen on IPv4.
    let address = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    Ok(address.context("--url has no address")?.to_string())
}

fn add_header(mut request: PostRequest, line: &str) -> Result<PostRequest> {
    let (name, value) = line.split_once(':').with_context(|| format!("--header without a colon: {line}"))?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).context("--header")?;
    let value = HeaderValue::from_str(value.trim()).context("--header")?;
    let value = value.to_str().context("--header")?;
    ensure!(name != header::HOST && name != header::CONTENT_LENGTH, "--header {name} is set by the bench");
    if name == header::CONTENT_TYPE {
        value.clone_into(&mut request.content_type);
        return Ok(request);
    }
    Ok(request.with_header(name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(url: &str, headers: &[&str], body: &str) -> Result<Target> {
        let headers: Vec<String> = headers.iter().map(|&header| header.to_owned()).collect();
        Target::parse(Some(url), &headers, Some(body)).await
    }

    #[tokio::test]
    async fn url_headers_and_body_become_a_request() {
        let headers = ["Authorization: Bearer a:b", "content-type: application/cloudevents+json"];
        let target =
            parse("http://127.0.0.1:8071/api/v1/msg?x=1", &headers, "{\"n\":@N@}").await.expect("valid");
        assert_eq!(target.address, "127.0.0.1:8071");
        assert_eq!(target.request.path, "/api/v1/msg?x=1");
        assert_eq!(target.request.headers, "authorization: Bearer a:b\r\n");
        assert_eq!(target.request.content_type, "application/cloudevents+json");
    }

    #[tokio::test]
    async fn only_loopback_may_be_loaded() {
        for url in ["http://192.0.2.1/", "http://[2001:db8::1]:80/", "https://127.0.0.1/", "ftp://127.0.0.1/"]
        {
            assert!(parse(url, &[], "@N@").await.is_err(), "{url}");
        }
        assert!(parse("http://[::1]:8080/", &[], "@N@").await.is_ok());
    }

    #[tokio::test]
    async fn a_body_without_a_number_and_bad_headers_are_refused() {
        assert!(parse("http://127.0.0.1/", &[], "{}").await.is_err());
        for header in ["no colon", "a b: c", "x: a\r\ny: b", "Host: x", "content-length: 1"] {
            assert!(parse("http://127.0.0.1/", &[header], "@N@").await.is_err(), "{header}");
        }
    }
}
