//! One keep-alive connection to the API. Without a client library, whose cost would distort the measurement.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use httparse::Status;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    PostRequest,
    answer::{Head, Length},
};

/// Longest wait for an answer; the API itself gives up before.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that sends one request after the other.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    out: Vec<u8>,
    /// What came in and belongs to no answer yet.
    read: BytesMut,
    /// Whether the last answer announced that the server closes the connection.
    closing: bool,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: address.to_owned(), out: vec![], read: BytesMut::new(), closing: false })
    }

    /// Posts; returns status and body of the answer. After an error the connection is of no more use.
    pub(crate) async fn post(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        let Ok(answered) = timeout(TIMEOUT, self.exchange(request)).await else {
            bail!("no answer within {TIMEOUT:?}");
        };
        answered
    }

    /// Whether the server keeps it open for another request.
    pub(crate) const fn is_reusable(&self) -> bool {
        !self.closing
    }

    async fn exchange(&mut self, request: &PostRequest) -> Result<(u16, Bytes)> {
        self.out.clear();
        request.write_to(&mut self.out, &self.host);
        self.stream.write_all(&self.out).await?;
        let head = loop {
            match Head::parse(&self.read)? {
                Some(head) => break head,
                None => self.read_more().await?,
            }
        };
        self.read.advance(head.bytes);
        self.closing = head.closing;
        let body = match head.length {
            Length::Known(bytes) => self.read_exactly(bytes).await?,
            Length::Chunked => self.read_chunks().await?,
        };
        Ok((head.status, body))
    }

    async fn read_exactly(&mut self, bytes: usize) -> Result<Bytes> {
        while self.read.len() < bytes {
            self.read_more().await?;
        }
        Ok(self.read.split_to(bytes).freeze())
    }

    /// Reads chunks until the empty one (RFC 9112, section 7.1). Trailers are not expected.
    async fn read_chunks(&mut self) -> Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let Ok(size) = httparse::parse_chunk_size(&self.read) else { bail!("a chunk without a size") };
            let Status::Complete((head, size)) = size else {
                self.read_more().await?;
                continue;
            };
            self.read.advance(head);
            let size = usize::try_from(size)?;
            let chunk = self.read_exactly(size + b"\r\n".len()).await?;
            if size == 0 {
                return Ok(body.freeze());
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    async fn read_more(&mut self) -> Result<()> {
        ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the server hung up");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every request with these bytes, a few at a time.
    async fn server(answer: &'static [u8]) -> Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut request = [0; 1_024];
            while stream.read(&mut request).await? > 0 {
                for part in answer.chunks(7) {
                    stream.write_all(part).await?;
                    tokio::task::yield_now().await;
                }
            }
            anyhow::Ok(())
        });
        Ok(address)
    }

    #[tokio::test]
    async fn an_answer_in_chunks_is_read_whole_and_the_next_one_too() -> Result<()> {
        let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nb\r\n beautiful \r\n0\r\n\r\n";
        let mut connection = Connection::open(&server(answer).await?).await?;
        for _ in 0..2 {
            let (status, body) = connection.post(&PostRequest::json("/", &json!(1), 1)).await?;
            assert_eq!((status, &body[..]), (200, &b"hello beautiful "[..]));
            assert!(connection.is_reusable());
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closes_is_not_reused() -> Result<()> {
        let answer = b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        let mut connection = Connection::open(&server(answer).await?).await?;
        assert_eq!(connection.post(&PostRequest::json("/", &json!(1), 1)).await?.0, 202);
        assert!(!connection.is_reusable());
        Ok(())
    }
}
