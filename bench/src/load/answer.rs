//! The head of an HTTP/1.1 answer: its status, and how the length of the body is known.

use anyhow::{Context as _, Result};
use http::{StatusCode, header};
use httparse::{Header, Status};

/// Most headers of an answer.
const MOST_HEADERS: usize = 64;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Its own length.
    pub(super) bytes: usize,
    pub(super) length: Length,
    /// Whether the server closes the connection after the body.
    pub(super) closing: bool,
}

/// How the length of a body is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Length {
    Known(usize),
    Chunked,
}

impl Head {
    /// The head that these bytes begin with; none while it is incomplete.
    ///
    /// # Errors
    /// When it is no head, or does not say where the body ends.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let Status::Complete(bytes) = answer.parse(bytes)? else { return Ok(None) };
        let status = answer.code.context("an answer has a status")?;
        let closing = has(answer.headers, header::CONNECTION.as_str(), "close");
        Ok(Some(Self { status, bytes, length: length_of(status, answer.headers)?, closing }))
    }
}

fn length_of(status: u16, headers: &[Header<'_>]) -> Result<Length> {
    if has(headers, header::TRANSFER_ENCODING.as_str(), "chunked") {
        return Ok(Length::Chunked);
    }
    match value(headers, header::CONTENT_LENGTH.as_str()) {
        Some(length) => Ok(Length::Known(std::str::from_utf8(length)?.trim().parse()?)),
        None if status == StatusCode::NO_CONTENT.as_u16() => Ok(Length::Known(0)),
        None => anyhow::bail!("an answer says how long it is"),
    }
}

fn has(headers: &[Header<'_>], name: &str, wanted: &str) -> bool {
    value(headers, name).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn value<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|one| one.name.eq_ignore_ascii_case(name)).map(|one| one.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_parsed_when_it_is_complete() {
        let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}";
        let bytes = answer.len() - 2;
        for part in 0..bytes {
            assert_eq!(Head::parse(&answer[..part]).expect("the beginning of an answer"), None, "{part}");
        }
        let expected = Head { status: 202, bytes, length: Length::Known(2), closing: false };
        assert_eq!(Head::parse(answer).expect("an answer"), Some(expected));
    }

    #[test]
    fn an_answer_without_a_length_is_an_error_unless_it_has_no_body() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Head::parse(b"SSH-2.0-x\r\n").is_err());
        let empty = Head::parse(b"HTTP/1.1 204 No Content\r\n\r\n").expect("an answer").expect("a head");
        assert_eq!(empty.length, Length::Known(0));
    }
}
