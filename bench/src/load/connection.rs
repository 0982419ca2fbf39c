//! One keep-alive connection to the API. No client library lies between: what it took would be taken from what is measured.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use http::header;
use httparse::Status;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::PostRequest;

/// Longest wait for an answer; the API itself gives up before.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most headers of an answer; the API sends fewer.
const MOST_HEADERS: usize = 32;

/// A connection that sends one request after the other.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    out: Vec<u8>,
    /// What came in and belongs to no answer yet.
    read: BytesMut,
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Its own length, and that of the body behind it, in bytes.
    head: usize,
    body: usize,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: address.to_owned(), out: vec![], read: BytesMut::new() })
    }

    /// Posts; returns status and body of the answer. After an error the connection is of no more use.
    pub(crate) async fn post(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        let Ok(answered) = timeout(PATIENCE, self.exchange(request)).await else {
            bail!("no answer within {PATIENCE:?}");
        };
        answered
    }

    async fn exchange(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        self.out.clear();
        request.write_to(&mut self.out, &self.host);
        self.stream.write_all(&self.out).await?;
        let head = loop {
            match head_of(&self.read)? {
                Some(head) => break head,
                None => self.read_more().await?,
            }
        };
        while self.read.len() < head.head + head.body {
            self.read_more().await?;
        }
        self.read.advance(head.head);
        Ok((head.status, self.read.split_to(head.body).freeze()))
    }

    async fn read_more(&mut self) -> Result<()> {
        ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the API hung up");
        Ok(())
    }
}

/// The head of the answer that these bytes begin with; none while it is not whole.
fn head_of(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let Status::Complete(head) = answer.parse(bytes)? else { return Ok(None) };
    let status = answer.code.context("an answer has a status")?;
    let length =
        answer.headers.iter().find(|one| one.name.eq_ignore_ascii_case(header::CONTENT_LENGTH.as_str()));
    let length = length.context("the API says how long its answers are")?;
    Ok(Some(Head { status, head, body: std::str::from_utf8(length.value)?.parse()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_its_head_is_whole() {
        let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}";
        let head = answer.len() - 2;
        for part in 0..head {
            assert_eq!(head_of(&answer[..part]).expect("the beginning of an answer"), None, "{part}");
        }
        let expected = Head { status: 202, head, body: 2 };
        assert_eq!(head_of(answer).expect("an answer"), Some(expected));
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(head_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(head_of(b"SSH-2.0-x\r\n").is_err());
    }
}
