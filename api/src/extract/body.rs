//! Bodies of requests: read with a bound on size and on the wait for each byte, and let go with manners.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use domain::problem::ProblemCode;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
};
use http_body_util::BodyExt;
use serde_json::Value;

use super::Fields;
use crate::{limits::Limits, problem::Problem};

/// How long the rest of a refused body is read, so that the caller gets to see the answer.
const LINGER: Duration = Duration::from_secs(2);
/// How much of it is read.
const LINGER_BYTES: usize = 16 * 1_024 * 1_024;

/// The members of a body that is a JSON object: `application/json`, at most `limit` bytes. What is wrong with them, NUL
/// included, is named all at once by [`Fields::done`].
pub(crate) async fn json_fields(request: Request, limit: usize, limits: &Limits) -> Result<Fields, Problem> {
    Fields::read_body(&json_bytes(request, limit, limits).await?)
}

/// The refusal of [`json_fields`] where a body that is no object is a 400 instead of a 422.
pub(crate) fn no_object_is_400(problem: Problem) -> Problem {
    match problem.code {
        ProblemCode::ValidationFailed => {
            Problem::new(ProblemCode::BadRequest, "the body must be a JSON object")
        }
        _ => problem,
    }
}

/// The bytes of a body that says it is JSON: `application/json`, at most `limit` bytes.
pub(crate) async fn json_bytes(request: Request, limit: usize, limits: &Limits) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        refuse_body(request);
        return Err(Problem::new(
            ProblemCode::UnsupportedMediaType,
            "the content type must be application/json",
        ));
    }
    raw_body(request, limit, limits).await
}

/// The bytes of a body, whatever it says it is: at most `limit` bytes.
async fn raw_body(request: Request, limit: usize, limits: &Limits) -> Result<Bytes, Problem> {
    raw_body_growing(request, limit, limits, |_| Ok(())).await
}

/// The same; `grows` is called with the bytes that are there before more are read, and may refuse them.
pub(crate) async fn raw_body_growing(
    request: Request,
    limit: usize,
    limits: &Limits,
    grows: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Bytes, Problem> {
    let reading = tokio::time::timeout(limits.body, read(request, limit, limits.stall, grows));
    reading.await.map_err(|_| ProblemCode::RequestTimeout)?
}

pub(super) async fn json_value(request: Request, limit: usize, limits: &Limits) -> Result<Value, Problem> {
    let bytes = json_bytes(request, limit, limits).await?;
    serde_json::from_slice(&bytes).map_err(|wrong| {
        Problem::new(ProblemCode::JsonInvalid, format!("the body is not valid JSON: {wrong}"))
    })
}

async fn read(
    request: Request,
    limit: usize,
    stall: Duration,
    mut grows: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(ProblemCode::PayloadTooLarge, format!("the body is larger than {limit} bytes"));
    if announced(request.headers()).is_some_and(|length| length > limit as u64) {
        refuse_body(request);
        return Err(too_large());
    }
    let mut body = request.into_body();
    let (mut first, mut whole) = (Bytes::new(), Vec::new());
    while let Some(chunk) = next_chunk(&mut body, stall).await? {
        let length = first.len().max(whole.len()) + chunk.len();
        if length > limit {
            linger(body);
            return Err(too_large());
        }
        if let Err(refusal) = grows(length) {
            linger(body);
            return Err(refusal);
        }
        // What comes in one piece is not copied.
        if first.is_empty() {
            first = chunk;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(if whole.is_empty() { first } else { whole.into() })
}

async fn next_chunk(body: &mut Body, stall: Duration) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame =
            tokio::time::timeout(stall, body.frame()).await.map_err(|_| ProblemCode::RequestTimeout)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Problem::new(ProblemCode::BadRequest, "the body ends too early")),
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
}

/// What `Content-Length` says.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Drops a request whose body is not wanted. A caller that waits for `100 Continue` is not made to send it.
pub(crate) fn refuse_body(request: Request) {
    if !request.headers().contains_key(EXPECT) {
        linger(request.into_body());
    }
}

/// Reads on for a moment and drops what comes: closing at once would reset the connection under the answer.
pub(crate) fn linger(mut body: Body) {
    tokio::spawn(tokio::time::timeout(LINGER, async move {
        let mut left = LINGER_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                return;
            };
            left = rest;
        }
    }));
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}
