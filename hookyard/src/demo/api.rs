//! Calls the API like an integrator.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde_json::Value;

use super::samples::Sample;

/// Timeout of a call.
const DEADLINE: Duration = Duration::from_secs(10);
/// As in the curl of the document.
const BOUNDARY: &str = "---011000010111000001101001";

pub(super) struct Api {
    http: Client,
    base: String,
}

/// A client that knows no proxy, and no certificate: all it calls is plain HTTP on this machine.
pub(crate) fn client() -> anyhow::Result<Client> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(DEADLINE).build()?)
}

impl Api {
    pub(super) fn new(base: &str) -> anyhow::Result<Self> {
        Ok(Self { http: client()?, base: base.to_owned() })
    }

    /// Returns the URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        ok(self.http.get(self.url(path))).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        ok(self.http.post(self.url(path)).json(body)).await
    }

    /// Posts with `Prefer: wait`.
    pub(super) async fn post_and_wait(
        &self,
        path: &str,
        body: &Value,
        seconds: u32,
    ) -> anyhow::Result<Value> {
        ok(self.http.post(self.url(path)).header("prefer", format!("wait={seconds}")).json(body)).await
    }

    /// Sends a signed message; returns the status and the body, whatever they are.
    pub(super) async fn post_signed(
        &self,
        path: &str,
        body: &'static str,
        signature: &str,
    ) -> anyhow::Result<(u16, String)> {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        let answer = request.header("x-signature", signature).body(body).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Uploads a file as curl does.
    pub(super) async fn upload(&self, path: &str, file: &Sample) -> anyhow::Result<Value> {
        let (name, media_type) = (&file.name, file.media_type);
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        );
        let body = [head.as_bytes(), &file.bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        ok(self.http.post(self.url(path)).header("content-type", kind).body(body)).await
    }

    /// Fetches any URL; returns the status and the body.
    pub(super) async fn fetch(&self, url: &str) -> anyhow::Result<(u16, Bytes)> {
        let answer = self.http.get(url).send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?))
    }
}

/// The answer's JSON; any other status than 200 is an error that holds what came back.
async fn ok(request: RequestBuilder) -> anyhow::Result<Value> {
    let (client, request) = request.build_split();
    let request = request?;
    let what = format!("{} {}", request.method(), request.url());
    let answer = client.execute(request).await.with_context(|| what.clone())?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    if status != 200 {
        bail!("{what}: expected 200, got {status} {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("{what}: expected JSON, got {text}"))
}
