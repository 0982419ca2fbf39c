//! The body of an upload, streamed into storage. Whatever goes wrong leaves no file: dropping it unfinished removes it.

use axum::body::Body;
use domain::{id::UploadId, problem::ProblemCode, upload::SafeFileName};
use platform::storage::{Incoming, StorageError};

use crate::{
    app::App,
    multipart::{Part, Parts},
    problem::Problem,
};

/// The one part that counts.
const FIELD: &str = "file";
/// Most bytes of all other parts together.
pub(crate) const MAX_OTHER_BYTES: usize = 1_024 * 1_024;

/// A file that has come in whole and is not yet finished.
pub(super) struct Received {
    pub(super) id: UploadId,
    pub(super) name: SafeFileName,
    pub(super) key: String,
    pub(super) file: Incoming,
}

/// Reads the body to its closing boundary.
pub(super) async fn receive(app: &App, body: &mut Body, boundary: String) -> Result<Received, Problem> {
    let mut parts = Parts::new(body, boundary, app.limits.stall);
    let (mut received, mut left) = (None, MAX_OTHER_BYTES);
    while let Some(part) = parts.next().await? {
        match (part.name() == Some(FIELD), &received) {
            (true, None) => received = Some(file(app, part).await?),
            (true, Some(_)) => return Err(bad("there is more than one file; send one a request")),
            (false, _) => left = pass_by(part, left).await?,
        }
    }
    received.ok_or_else(|| bad("there is no such part"))
}

async fn file(app: &App, mut part: Part<'_>) -> Result<Received, Problem> {
    let sent = part.file_name().ok_or_else(|| bad("the part has no file name"))?;
    let name = SafeFileName::from_client(&sent).map_err(|wrong| bad(wrong.to_string()))?;
    let id = UploadId::new();
    let key = format!("uploads/{id}");
    let mut file = app.context.storage.create(&key).await.map_err(|error| not_stored(&error))?;
    let most = app.context.config.max_upload_bytes;
    let mut left = most;
    while let Some(chunk) = part.chunk().await? {
        left = left.checked_sub(chunk.len() as u64).ok_or_else(|| too_large(most))?;
        file.write(chunk).await.map_err(|error| not_stored(&error))?;
    }
    Ok(Received { id, name, key, file })
}

/// Reads and forgets a part; returns how much is left for others.
async fn pass_by(mut part: Part<'_>, mut left: usize) -> Result<usize, Problem> {
    let too_much = || {
        let rule = format!("the parts beside `{FIELD}` are larger than {MAX_OTHER_BYTES} bytes");
        Problem::new(ProblemCode::PayloadTooLarge, rule)
    };
    while let Some(chunk) = part.chunk().await? {
        left = left.checked_sub(chunk.len()).ok_or_else(too_much)?;
    }
    Ok(left)
}

/// The answer to a file above the limit.
pub(super) fn too_large(most: u64) -> Problem {
    Problem::new(ProblemCode::PayloadTooLarge, format!("{FIELD}: is larger than {most} bytes"))
}

/// The answer when the disk did not do its part.
pub(super) fn not_stored(error: &StorageError) -> Problem {
    Problem::unavailable("an uploaded file cannot be written", error)
}

fn bad(what: impl Into<String>) -> Problem {
    Problem::field(ProblemCode::BadRequest, FIELD, what)
}
