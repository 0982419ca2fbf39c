//! Step 6: a receiver that fails twice, and the delivery that survives it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use domain::id::DeliveryId;
use entity::{attempt::Model as Attempt, delivery::queries};
use serde_json::Value;

use super::{
    api::Api,
    expect::same,
    registered::{EVENT_TYPE, plain_webhook, text},
    samples,
    server::{RETRY_SCHEDULE, Server},
    transcript::Transcript,
    uploaded::upload,
};
use receiver::{Answer, Call, Receiver};

/// Calls until it arrives.
const CALLS: usize = 3;
/// Longest wait for them, and for their records.
const PATIENCE: Duration = Duration::from_secs(15);
/// Wait between two looks at the records.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Uploads a file for a receiver that fails at first; gives the delivery's id.
pub(super) async fn survived(
    transcript: &Transcript,
    api: &Api,
    server: &Server,
    receiver: &Receiver,
) -> anyhow::Result<String> {
    transcript.step("Retry: the receiver fails twice, first with 500, then by closing the connection");
    receiver.answer([Answer::Status(500), Answer::Drop]);
    let webhook = plain_webhook(api, EVENT_TYPE, &receiver.url("/flaky")).await?;
    transcript.note(&format!("registered at {}; RETRY_SCHEDULE={RETRY_SCHEDULE}", receiver.url("/flaky")));
    upload(transcript, api, &webhook, &samples::small_text(server.dir())?).await?;

    let calls = receiver.wait_for(CALLS, PATIENCE).await;
    same("calls until it arrived", CALLS, calls.len())?;
    let errors = errors(api).await?;
    let delivery = text(&errors[0], "/subject_id")?.to_owned();
    let attempts = records(server, delivery.parse()?).await?;
    transcript.command(&[&format!("curl {}", api.url("/v1/errors"))]);
    transcript.answer(200, "recorded attempts:");
    transcript.blank();
    table(transcript, &calls, &attempts, &errors);
    check(transcript, &calls, &attempts)?;
    Ok(delivery)
}

/// The failed attempts, oldest first.
async fn errors(api: &Api) -> anyhow::Result<Vec<Value>> {
    let mut listed = api.get("/v1/errors").await?;
    let errors = listed["data"].as_array_mut().context("expected a list of errors")?;
    errors.retain(|error| error["kind"] == "delivery");
    errors.reverse();
    same("rows in the error log", CALLS - 1, errors.len())?;
    Ok(std::mem::take(errors))
}

/// The attempts, oldest first, as soon as the last one is recorded.
async fn records(server: &Server, delivery: DeliveryId) -> anyhow::Result<Vec<Attempt>> {
    let (context, start) = (&server.context, Instant::now());
    while start.elapsed() < PATIENCE {
        let time = context.database.statement_time(&context.clock);
        let row = queries::load(&context.database, time, delivery).await?;
        if let Some(state) = row.and_then(|row| row.state) {
            same("the delivery's state", "succeeded", state.as_str())?;
            let mut attempts = queries::attempts(&context.database, delivery).await?;
            attempts.reverse();
            return Ok(attempts);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    bail!("expected delivery {delivery} to be finished within {PATIENCE:?}")
}

fn table(transcript: &Transcript, calls: &[Call], attempts: &[Attempt], errors: &[Value]) {
    let start = attempts.first().map_or(0, |attempt| attempt.started_at);
    let row = |cells: [&str; 6]| {
        format!(
            "{:<10}{:<11}{:<11}{:<16}{:<18}{}",
            cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]
        )
    };
    transcript.note(&row(["attempt", "at", "took", "receiver", "on record", "due again"]));
    for (place, (attempt, call)) in attempts.iter().zip(calls).enumerate() {
        let number = attempt.number.to_string();
        let took = format!("{:.1} ms", attempt.duration_us as f64 / 1e3);
        let answered =
            if call.answered == 0 { "hung up".to_owned() } else { format!("answered {}", call.answered) };
        let class = attempt.error_class.as_deref().unwrap_or("succeeded");
        let recorded =
            attempt.status_code.map_or_else(|| class.to_owned(), |status| format!("{class} {status}"));
        let again = errors.get(place).and_then(due_again).map_or("–".to_owned(), |at| seconds(at - start));
        transcript.plain(&row([
            &number,
            &seconds(attempt.started_at - start),
            &took,
            &answered,
            &recorded,
            &again,
        ]));
    }
    transcript
        .note("(the claimer looks for due retries once a second; a real schedule has 5 s, 5 min, 30 min, …)");
    transcript.blank();
}

fn seconds(milliseconds: i64) -> String {
    format!("+{:.2} s", milliseconds as f64 / 1e3)
}

/// `next_retry_at` of a row of the error log, in ms.
fn due_again(error: &Value) -> Option<i64> {
    let at = chrono::DateTime::parse_from_rfc3339(error["next_retry_at"].as_str()?).ok()?;
    Some(at.timestamp_millis())
}

fn check(transcript: &Transcript, calls: &[Call], attempts: &[Attempt]) -> anyhow::Result<()> {
    same("attempts on record", CALLS, attempts.len())?;
    let statuses: Vec<Option<i16>> = attempts.iter().map(|attempt| attempt.status_code).collect();
    same("their statuses", format!("{:?}", [Some(500), None, Some(200)]), format!("{statuses:?}"))?;
    let ids: Vec<&str> = calls.iter().filter_map(Call::webhook_id).collect();
    let same_id = ids.len() == CALLS && ids.iter().all(|id| *id == ids[0]);
    same("one webhook-id for all attempts", true, same_id)?;
    transcript.tick("delivered, with the same webhook-id in all three calls: a receiver can drop duplicates");
    Ok(())
}
