//! `GET /v1/uploads/{id}/file`: the file itself, for callers with a signed link. No key is needed.

mod range;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use domain::{id::UploadId, problem::ProblemCode, upload::SafeFileName};
use entity::{scope::Scope, upload::Model};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_RANGE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use platform::{
    links::{self, LinkError},
    storage::StorageError,
};

use self::range::Asked;
use crate::{app::App, extract::Id, problem::Problem};

/// The media type of a file that is not processed yet.
const UNKNOWN_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Hands out the file, or the asked part of it.
pub(crate) async fn show(
    Id(id): Id<UploadId>,
    RawQuery(query): RawQuery,
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_link(&app, id, query.as_deref().unwrap_or(""))?;
    let found = entity::upload::queries::find(&app.context.database, Scope::Everyone, id)
        .await
        .map_err(|error| Problem::unavailable("an upload cannot be read", error))?;
    let row = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such upload"))?;
    let total = u64::try_from(row.size_bytes).unwrap_or(0);
    let mut answer = match asked(&row, &headers, total) {
        Asked::Everything => content(&app, &row, &method, None, total).await?,
        // All of a file, too, where it was asked for as a range: players take 200 for a server without ranges.
        Asked::Part(range) => content(&app, &row, &method, Some(range), total).await?,
        Asked::Nothing => return Ok(nothing(total)),
    };
    dress(answer.headers_mut(), &row);
    Ok(answer)
}

fn check_link(app: &App, id: UploadId, query: &str) -> Result<(), Problem> {
    let (expires, signature) = signed(query).ok_or(ProblemCode::LinkInvalid)?;
    links::check(&app.context.keys, id, expires, signature, app.context.clock.now()).map_err(|wrong| {
        match wrong {
            LinkError::Changed => ProblemCode::LinkInvalid.into(),
            LinkError::Expired => ProblemCode::LinkExpired.into(),
        }
    })
}

/// The parameters exactly as links are made: one link has one spelling, and nothing rides along unsigned.
fn signed(query: &str) -> Option<(i64, &str)> {
    let (text, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
    let expires: i64 = text.parse().ok()?;
    let is_hex = signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && expires.to_string() == text).then_some((expires, signature))
}

/// `If-Range` of another version asks for everything.
fn asked(row: &Model, headers: &HeaderMap, total: u64) -> Asked {
    match headers.get(IF_RANGE) {
        Some(version) if Some(version) != tag(row).as_ref() => Asked::Everything,
        _ => Asked::of(headers, total),
    }
}

async fn content(
    app: &App,
    row: &Model,
    method: &Method,
    range: Option<std::ops::Range<u64>>,
    total: u64,
) -> Result<Response, Problem> {
    let length = range.as_ref().map_or(total, |range| range.end - range.start);
    let mut answer = Response::new(Body::empty());
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    if let Some(range) = &range {
        let span = format!("bytes {}-{}/{total}", range.start, range.end - 1);
        answer.headers_mut().insert(CONTENT_RANGE, span.parse().expect("digits are a header value"));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if *method != Method::HEAD && length > 0 {
        let (_, content) = app
            .context
            .storage
            .read(&row.storage_key, range.filter(|_| length < total))
            .await
            .map_err(unreadable)?;
        *answer.body_mut() = Body::from_stream(content);
    }
    Ok(answer)
}

fn unreadable(error: StorageError) -> Problem {
    match error {
        StorageError::NotFound(_) => Problem::new(ProblemCode::NotFound, "the file is no longer kept"),
        other => Problem::internal("a stored file cannot be read", other),
    }
}

fn nothing(total: u64) -> Response {
    let span = HeaderValue::from_str(&format!("bytes */{total}")).expect("digits are a header value");
    ([(CONTENT_RANGE, span)], Problem::from(ProblemCode::RangeNotSatisfiable)).into_response()
}

/// Whatever the file is, no browser shows it as a page of ours.
fn dress(headers: &mut HeaderMap, row: &Model) {
    let media_type = row.media_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
    let name = SafeFileName::from_client(&row.file_name).map(|name| name.content_disposition());
    let offer = name.ok().and_then(|text| HeaderValue::from_str(&text).ok());
    let fixed: [(HeaderName, &str); 5] = [
        (ACCEPT_RANGES, "bytes"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "private, no-store"),
    ];
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.insert(CONTENT_TYPE, media_type.unwrap_or(UNKNOWN_TYPE));
    headers.insert(CONTENT_DISPOSITION, offer.unwrap_or(HeaderValue::from_static("attachment")));
    headers.extend(tag(row).map(|tag| (ETAG, tag)));
}

/// The file's version: its hash, once it is known.
fn tag(row: &Model) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{}\"", row.sha256.as_deref()?)).ok()
}
