//! Parsers of settings that take one of a few words, or a small language of their own.

use domain::{
    delivery::{RetrySchedule, ScheduleError},
    job::QueueName,
};
use tracing_subscriber::EnvFilter;

use super::{
    env_reader::{list, number},
    types::LogFormat,
};

/// Upper bound of `SEND_SLOTS`.
const SEND_SLOTS_MAX: u64 = 65_536;
/// Upper bound of `PUSH_SUBSCRIPTIONS_PER_DAY`.
const PUSH_SUBSCRIPTIONS_MAX: u64 = 1_000_000;
/// Upper bound of `HELD_LIMIT`: every check walks an index over the deliveries that are kept.
const HELD_LIMIT_MAX: u64 = 10_000_000;
/// Most parts of `LOG_LEVEL`.
const MAX_FILTERS: usize = 64;

/// Parses a level in any case, `WARNING` included, or filters of `tracing` such as `info,api=debug`.
pub(super) fn log_level(text: &str) -> Result<String, String> {
    let filter = list(text, MAX_FILTERS, filter_part)?.join(",");
    match EnvFilter::try_new(&filter) {
        Ok(_) => Ok(filter),
        Err(error) => Err(format!("{text:?} is not a filter of tracing: {error}")),
    }
}

/// Rejects a lone word that is not a level: `tracing` would read it as a library's name and silence everything else.
fn filter_part(part: &str) -> Result<String, String> {
    match part.to_ascii_lowercase().as_str() {
        "warning" => Ok("warn".to_owned()),
        level @ ("off" | "error" | "warn" | "info" | "debug" | "trace") => Ok(level.to_owned()),
        _ if part.contains('=') => Ok(part.to_owned()),
        _ => Err(format!(
            "{part:?} is not a level (DEBUG, INFO, WARNING, ERROR) and not a filter like api=debug"
        )),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.to_ascii_lowercase().as_str() {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither pretty nor json")),
    }
}

pub(super) fn retry_schedule(text: &str) -> Result<RetrySchedule, String> {
    text.parse().map_err(|wrong: ScheduleError| wrong.to_string())
}

/// A queue of earlier versions that never held a job. Settings that name it still work.
const FORMER_QUEUE: &str = "maintenance";

/// Parses queues separated by commas, each at most once.
pub(super) fn queues(text: &str) -> Result<Vec<QueueName>, String> {
    let words: Vec<&str> = text.split(',').filter(|word| word.trim() != FORMER_QUEUE).collect();
    let queues = list(&words.join(","), QueueName::ALL.len(), queue)?;
    match queues.iter().enumerate().find(|(at, queue)| queues[..*at].contains(queue)) {
        Some((_, queue)) => Err(format!("has {queue} twice")),
        None => Ok(queues),
    }
}

fn queue(word: &str) -> Result<QueueName, String> {
    let known = || QueueName::ALL.iter().map(|queue| queue.as_str()).collect::<Vec<_>>().join(", ");
    word.parse().map_err(|_| format!("{word:?} is not a queue: {} are", known()))
}

pub(super) fn send_slots(text: &str) -> Result<usize, String> {
    let slots = number(1..=SEND_SLOTS_MAX)(text)?;
    Ok(usize::try_from(slots).expect("at most 65,536"))
}

pub(super) fn push_subscriptions_per_day(text: &str) -> Result<u32, String> {
    let most = number(1..=PUSH_SUBSCRIPTIONS_MAX)(text)?;
    Ok(u32::try_from(most).expect("at most 1,000,000"))
}

pub(super) fn held_limit(text: &str) -> Result<i64, String> {
    let most = number(1..=HELD_LIMIT_MAX)(text)?;
    Ok(i64::try_from(most).expect("at most 10,000,000"))
}
