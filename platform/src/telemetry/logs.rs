//! Log lines on standard output: one flat JSON object a line, or coloured text for a terminal.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, fmt::MakeWriter, util::SubscriberInitExt};

use super::lines::{Lines, Logging, lines};
use crate::config::LogFormat;

/// Libraries that log too much below `info`, by the prefixes of their targets: a plain `DEBUG` means our crates.
const QUIET: [&str; 9] = ["hyper", "h2", "rustls", "reqwest", "sqlx", "sea_orm", "redis", "tower", "apalis"];

/// Logging can't be initialised.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is not a valid filter.
    #[error("LOG_LEVEL: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// A subscriber is installed already.
    #[error("logging is initialised already: {0}")]
    Initialised(#[from] tracing_subscriber::util::TryInitError),
    /// The writer thread can't be started.
    #[error("log lines can't be written: {0}")]
    Thread(#[from] std::io::Error),
}

/// Starts logging to standard output, once per process. `level` is a filter of `tracing`, as in
/// [`crate::config::Config::log_level`]. Lines below a warning are written within 10 ms, the last ones when the returned
/// guard is dropped.
///
/// # Errors
/// When the filter is not valid, or logging is initialised already.
pub fn init_logging(level: &str, format: LogFormat) -> Result<Logging, LogError> {
    let filter = EnvFilter::try_new(with_quiet_libraries(level))?;
    let (lines, logging) = lines(std::io::stdout())?;
    match format {
        LogFormat::Json => json(filter, lines).try_init()?,
        LogFormat::Pretty => pretty(filter, lines).try_init()?,
    }
    Ok(logging)
}

/// Logs the notices of a start as warnings, or writes them to standard error if the level hides warnings.
pub fn log_notices(notices: &[String]) {
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

/// Makes libraries one step quieter than our crates if the filter is a single level: `warn` for `info`, `info` below it.
/// Returns any other filter unchanged.
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

        let text = content_of(file);
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

    fn content_of(mut file: File) -> String {
        let mut text = String::new();
        file.rewind().expect("rewind");
        file.read_to_string(&mut text).expect("read");
        text
    }
}
