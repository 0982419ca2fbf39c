//! One upload from claim to finish: read the file, find out about it, write its event.

use std::{io, sync::Arc, time::Duration};

use crate::{
    due::DueSignal,
    inspect::{Limits, inspect},
    rounded_ms,
};
use backon::{ExponentialBuilder, Retryable};
use domain::{
    endpoint::{CustomPayload, overlay},
    job::{Job, LEASE, Leased, QueueName},
    upload::{Inspection, SafeFileName, UploadEvent, render_event},
};
use entity::{
    lease,
    upload::{
        claim::{ClaimedUpload, claim_next, renew, take_over},
        finish::{UploadResult, finish, reschedule},
    },
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    links::download_url,
    storage::StorageError,
    telemetry::names,
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Files inspected at once in one process: it is work for the processor and the disk.
const AT_ONCE: usize = 2;
/// Tries after which a file that can't be read is reported as failed.
const TRIES: i32 = 10;
/// Wait after the first failure of ours, doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Processes uploads. Clones share the limit of files at once.
#[derive(Clone)]
pub struct UploadProcessor {
    context: Context,
    at_once: Arc<Semaphore>,
    halt: CancellationToken,
}

/// Our side failed; the upload is tried again.
#[derive(Debug, thiserror::Error)]
enum ProcessError {
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("the file can't be read: {0}")]
    Read(#[from] io::Error),
    #[error("the inspection broke off")]
    Broken(#[from] tokio::task::JoinError),
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("its workers died of it")]
    Deadly,
    #[error("the stored file name or payload is damaged")]
    Damaged,
}

/// Processes what is due, two files at a time, whenever a scan finds some, until `stop`. A worker that does not take from the
/// queue of uploads leaves them to others.
pub async fn uploads(context: Context, processor: UploadProcessor, due: DueSignal, stop: CancellationToken) {
    if !context.config.worker_queues.contains(&QueueName::Uploads) {
        return stop.cancelled().await;
    }
    // Each on its own: a file that takes long holds up one of them.
    let one = async || {
        while !stop.is_cancelled() {
            processor.work_due().await;
            due.wait(&stop).await;
        }
    };
    futures_util::future::join_all((0..AT_ONCE).map(|_| one())).await;
}

fn not_claimed(error: &DatabaseError) {
    metrics::counter!(names::DATABASE_ERRORS).increment(1);
    warn!(%error, "an upload was not claimed; the next claim follows");
}

impl UploadProcessor {
    /// A processor that begins no upload after `halt`.
    #[must_use]
    pub fn new(context: &Context, halt: CancellationToken) -> Self {
        Self { context: context.clone(), at_once: Arc::new(Semaphore::new(AT_ONCE)), halt }
    }

    /// Processes an upload that was handed over, as soon as there is room. A job that waited too long is dropped: its upload
    /// is claimed when the lease ends. After the halt it is released.
    pub async fn handle_job(&self, job: &Job, leased: Leased) {
        let room = self.halt.run_until_cancelled(self.at_once.acquire()).await;
        if room.is_none() || self.halt.is_cancelled() {
            return self.release(leased).await;
        }
        if !job.may_start(self.context.database.estimated_now(&self.context.clock)) {
            return;
        }
        match take_over(&self.context.database, &self.context.clock, leased).await {
            Ok(Some(upload)) => self.process(&upload).await,
            Ok(None) => {}
            Err(error) => not_claimed(&error),
        }
    }

    /// Processes what is due and has no live lease, until nothing is; whether there was anything.
    pub async fn work_due(&self) -> bool {
        let mut worked = false;
        while !self.halt.is_cancelled() {
            let Some(Ok(_room)) = self.halt.run_until_cancelled(self.at_once.acquire()).await else { break };
            match claim_next(&self.context.database, &self.context.clock).await {
                Ok(Some(upload)) => self.process(&upload).await,
                Ok(None) => break,
                Err(error) => {
                    not_claimed(&error);
                    break;
                }
            }
            worked = true;
        }
        worked
    }

    async fn release(&self, leased: Leased) {
        let (database, lease) = (&self.context.database, [(leased.id, leased.claim)]);
        if let Err(error) = within_deadline(lease::release(database, lease::Table::Uploads, &lease)).await {
            warn!(%error, "an upload was not released; its lease ends at its time");
        }
    }

    async fn process(&self, upload: &ClaimedUpload) {
        let started = Instant::now();
        let keep = self.keep_lease(upload);
        let result = tokio::select! {
            result = self.inspect_and_finish(upload) => result,
            () = keep => return info!(upload_id = %upload.id(), "another worker has taken over"),
        };
        match result {
            Ok(None) => info!(upload_id = %upload.id(), "another worker has finished it"),
            Ok(Some(status)) => {
                metrics::counter!(names::UPLOADS_PROCESSED, "status" => status).increment(1);
                metrics::histogram!(names::UPLOAD_PROCESSING_SECONDS).record(started.elapsed());
                info!(upload_id = %upload.id(), duration_ms = %rounded_ms(started.elapsed()), "upload {status}");
                // No job carries its delivery.
                self.context.queue.wake();
            }
            Err(error) => self.failed(upload, &error).await,
        }
    }

    /// How it ended; none when another worker ended it first.
    async fn inspect_and_finish(&self, upload: &ClaimedUpload) -> Result<Option<&'static str>, ProcessError> {
        let error = match self.inspect_and_render(upload).await {
            Ok(result) => return self.finish(upload, result).await,
            Err(error) => error,
        };
        if upload.attempts + 1 < TRIES && !upload.is_deadly() {
            return Err(error);
        }
        // No try got through: that is reported, not tried again without end.
        self.finish(upload, self.unreadable(upload, &error)).await
    }

    async fn inspect_and_render(&self, upload: &ClaimedUpload) -> Result<UploadResult, ProcessError> {
        let name = SafeFileName::from_client(&upload.file_name).map_err(|_| ProcessError::Damaged)?;
        let inspection = self.inspect(upload, &name).await?;
        let body = if upload.has_endpoint { Some(self.render(upload, &name, &inspection)?) } else { None };
        Ok(upload_result(inspection, body))
    }

    async fn finish(
        &self,
        upload: &ClaimedUpload,
        result: UploadResult,
    ) -> Result<Option<&'static str>, ProcessError> {
        let Context { database, clock, .. } = &self.context;
        let finished = within_deadline(finish(database, clock, upload, &result)).await?;
        Ok(finished.then_some(result.inspection.state().as_str()))
    }

    /// The result of a file that is gone or damaged: a plain event without the owner's payload.
    fn unreadable(&self, upload: &ClaimedUpload, error: &ProcessError) -> UploadResult {
        let failure = Some(format!("the stored file can't be processed: {error}").replace('\0', ""));
        let inspection = Inspection { size_bytes: 0, sha256: None, media_type: None, facts: None, failure };
        let name =
            SafeFileName::from_client(&upload.file_name).or_else(|_| SafeFileName::from_client("file"));
        let name = name.expect("\"file\" is a file name");
        let body = upload.has_endpoint.then(|| self.render_plain(upload, &name, &inspection));
        upload_result(inspection, body)
    }

    async fn inspect(&self, upload: &ClaimedUpload, name: &SafeFileName) -> Result<Inspection, ProcessError> {
        if upload.is_deadly() {
            return Err(ProcessError::Deadly);
        }
        let mut file = self.context.storage.open_file(&upload.storage_key).await?;
        let name = name.as_str().to_owned();
        Ok(tokio::task::spawn_blocking(move || inspect(&mut file, &name, &Limits::default())).await??)
    }

    fn render(
        &self,
        upload: &ClaimedUpload,
        name: &SafeFileName,
        found: &Inspection,
    ) -> Result<Vec<u8>, ProcessError> {
        let body = self.render_plain(upload, name, found);
        let Some(payload) = &upload.custom_payload else { return Ok(body) };
        let payload = serde_json::from_str(payload).map_err(|_| ProcessError::Damaged)?;
        let payload = CustomPayload::parse(&payload).map_err(|_| ProcessError::Damaged)?;
        overlay(&body, &payload).map_err(|_| ProcessError::Damaged)
    }

    fn render_plain(&self, upload: &ClaimedUpload, name: &SafeFileName, found: &Inspection) -> Vec<u8> {
        let now = self.context.clock.now();
        let config = &self.context.config;
        let expires = now + config.download_link_ttl;
        let link = download_url(&config.public_url, &self.context.keys, upload.id(), expires);
        let event = render_event(&UploadEvent {
            timestamp: now,
            upload_id: upload.id(),
            webhook_id: upload.endpoint_id(),
            user_id: upload.user_id(),
            file_name: name,
            inspection: found,
            download_url: Some(&link),
        });
        serde_json::to_vec(&event).expect("an event is plain data")
    }

    /// Renews the lease until another worker has taken over.
    async fn keep_lease(&self, upload: &ClaimedUpload) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match renew(&self.context.database, &self.context.clock, upload).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => warn!(%error, upload_id = %upload.id(), "a lease was not renewed"),
            }
        }
    }

    async fn failed(&self, upload: &ClaimedUpload, error: &ProcessError) {
        let wait = FIRST_WAIT * 2_u32.saturating_pow(u32::try_from(upload.attempts).unwrap_or(0));
        warn!(%error, upload_id = %upload.id(), attempt = upload.attempts + 1, "an upload was not processed; it is tried again");
        // Often it is the database that failed: asked again until the lease would end, then the lease's end does the same.
        let message = error.to_string();
        let (Context { database, clock, .. }, wait) = (&self.context, wait.min(LONGEST_WAIT));
        let reschedule = || within_deadline(reschedule(database, clock, upload, &message, wait));
        let patience = ExponentialBuilder::default().with_max_delay(Duration::from_secs(2)).with_jitter();
        let patience = patience.without_max_times().with_total_delay(Some(LEASE));
        let rescheduled = reschedule.retry(patience).when(|error| !error.is_refusal());
        if let Err(error) = rescheduled.await {
            warn!(%error, upload_id = %upload.id(), "could not reschedule the upload; it will be retried when its lease expires");
        }
    }
}

fn upload_result(inspection: Inspection, body: Option<Vec<u8>>) -> UploadResult {
    let facts = inspection.facts.as_ref();
    let facts = facts.map(|facts| serde_json::to_string(facts).expect("facts are plain data"));
    UploadResult { inspection, facts, body }
}
