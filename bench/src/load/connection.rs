//! One keep-alive connection to the API.

use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::PostRequest;

/// Longest wait for an answer; the API itself gives up before.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that sends one request after the other. Ends when it is dropped.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    host: HeaderValue,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // How it ended is told to the request under way.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver, host: HeaderValue::from_str(address)? })
    }

    /// Posts; returns status and body of the answer. After an error the connection is of no more use.
    pub(crate) async fn post(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        let Ok(answered) = timeout(PATIENCE, self.exchange(request)).await else {
            bail!("no answer within {PATIENCE:?}");
        };
        answered
    }

    async fn exchange(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        self.sender.ready().await?;
        let mut message = Request::new(Full::new(request.body.clone()));
        *message.method_mut() = Method::POST;
        *message.uri_mut() = request.path.clone();
        message.headers_mut().insert(header::HOST, self.host.clone());
        message.headers_mut().insert(header::CONTENT_TYPE, request.content_type.clone());
        if let Some(signature) = &request.signature {
            message.headers_mut().insert("x-signature", signature.clone());
        }
        let answer = self.sender.send_request(message).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
