//! Log lines on standard output: one JSON object a line with flat fields, or coloured text for people.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, fmt::MakeWriter, util::SubscriberInitExt};

use super::lines::{Lines, Logging, lines};
use crate::config::LogFormat;

/// Libraries that say too much below `info`, by the beginnings of their targets: a plain `DEBUG` means ours.
const QUIET: [&str; 9] = ["hyper", "h2", "rustls", "reqwest", "sqlx", "sea_orm", "redis", "tower", "apalis"];

/// Logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is no filter.
    #[error("LOG_LEVEL: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else began already.
    #[error("logging has begun already: {0}")]
    Begun(#[from] tracing_subscriber::util::TryInitError),
    /// There is no thread to be had that writes.
    #[error("log lines can't be written: {0}")]
    Thread(#[from] std::io::Error),
}

/// Begins logging to standard output, once a process. `level` is a filter of `tracing`, as
/// [`crate::config::Config::log_level`] holds it. Lines below a warning are written within 10 ms, the last ones when what is
/// returned is dropped.
///
/// # Errors
/// When the filter is not valid, or logging has begun already.
pub fn init_logging(level: &str, format: LogFormat) -> Result<Logging, LogError> {
    let filter = EnvFilter::try_new(with_quiet_libraries(level))?;
    let (lines, logging) = lines(std::io::stdout())?;
    match format {
        LogFormat::Json => json(filter, lines).try_init()?,
        LogFormat::Pretty => pretty(filter, lines).try_init()?,
    }
    Ok(logging)
}

/// Logs what a start has to say; where the level would hide it, it goes to standard error: an open door stays loud.
pub fn tell_notices(notices: &[String]) {
    for notice in notices {
        if tracing::enabled!(tracing::Level::WARN) {
            tracing::warn!("{notice}");
        } else {
            eprintln!("{notice}");
        }
    }
}

fn json<W>(filter: EnvFilter, writer: W) -> impl SubscriberInitExt
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

fn pretty(filter: EnvFilter, lines: Lines) -> impl SubscriberInitExt {
    let is_seen = std::io::stdout().is_terminal();
    fmt().with_target(false).with_ansi(is_seen).with_env_filter(filter).with_writer(lines).finish()
}

/// A filter of one level keeps the libraries one step quieter than ours: at `warn` with `info`, at `info` below it.
/// Any other filter means what it says.
fn with_quiet_libraries(level: &str) -> String {
    let libraries = match level {
        "info" => "warn",
        "debug" | "trace" => "info",
        _ => return level.to_owned(),
    };
    let quiet: Vec<String> = QUIET.iter().map(|library| format!("{library}={libraries}")).collect();
    format!("{level},{}", quiet.join(","))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read, Seek},
        sync::Arc,
    };

    use super::*;

    #[test]
    fn a_json_line_is_one_object_with_flat_fields_and_its_span() {
        let file = tempfile::tempfile().expect("temporary file");
        let filter = EnvFilter::new("info");
        let guard = json(filter, Arc::new(file.try_clone().expect("clone"))).set_default();
        let span = tracing::info_span!("request", request_id = "r-1").entered();
        tracing::info!(message_id = "m\n1", dup = false, "ingested");
        tracing::debug!("below the level");
        drop((span, guard));

        let text = read(file);
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).expect("an object");
        assert_eq!(line["message"], "ingested");
        assert_eq!(line["message_id"], "m\n1");
        assert_eq!(line["dup"], false);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["request_id"], "r-1");
        assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    }

    #[test]
    fn a_plain_debug_keeps_libraries_quiet_and_a_filter_means_what_it_says() {
        assert!(with_quiet_libraries("debug").starts_with("debug,hyper=info,"));
        assert!(EnvFilter::try_new(with_quiet_libraries("trace")).is_ok());
        assert!(with_quiet_libraries("info").starts_with("info,hyper=warn,"));
        assert_eq!(with_quiet_libraries("warn"), "warn");
        assert_eq!(with_quiet_libraries("debug,api=trace"), "debug,api=trace");
    }

    #[test]
    fn a_bad_filter_is_an_error_that_names_the_setting() {
        let error = init_logging("api=loud", LogFormat::Json).err().expect("no such level");
        assert!(error.to_string().starts_with("LOG_LEVEL: "), "{error}");
    }

    fn read(mut file: File) -> String {
        let mut text = String::new();
        file.rewind().expect("rewind");
        file.read_to_string(&mut text).expect("read");
        text
    }
}
