//! The options of `hookyard listen`.

use std::{iter, time::Duration};

use domain::{
    delivery::{parse_duration, write_duration},
    signature::SigningSecret,
};

use crate::terminal::Paint;
use receiver::{Answer, Receiver};

/// Longest `--delay`; senders time out long before.
const MAX_DELAY: Duration = Duration::from_secs(3_600);
/// Largest `--fail-first`.
const MAX_FAIL_FIRST: u32 = 10_000;

/// The options of `hookyard listen`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    pub port: u16,
    /// Signing secret to check with: whsec_…
    #[arg(long, value_name = "whsec_…")]
    pub secret: Option<SigningSecret>,
    /// Status to answer with
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=599))]
    pub status: u16,
    /// Answer the first N calls with 500
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_FAIL_FIRST)))]
    pub fail_first: u32,
    /// Wait before each answer: 500ms, 20s
    #[arg(long, value_parser = delay)]
    pub delay: Option<Duration>,
    /// The only path that is served; others get 404
    #[arg(long, value_parser = path)]
    pub path: Option<String>,
}

impl Options {
    /// Tells the receiver how to answer.
    pub(super) fn instruct(&self, receiver: &Receiver) {
        let answer = |status| self.delay.map_or(Answer::Status(status), |delay| Answer::Delay(delay, status));
        receiver.answer(iter::repeat_n(answer(500), self.fail_first as usize));
        receiver.answer_always(answer(self.status));
        if let Some(path) = &self.path {
            receiver.only_at(path);
        }
    }

    /// What is said at the start.
    pub(super) fn greeting(&self, receiver: &Receiver, paint: Paint) -> String {
        let url = receiver.url(self.path.as_deref().unwrap_or("/"));
        let answers = match self.fail_first {
            0 => format!("answers {}", self.status),
            1 => format!("answers 500 to the first call, then {}", self.status),
            first => format!("answers 500 to the first {first} calls, then {}", self.status),
        };
        let delay =
            self.delay.map_or(String::new(), |delay| format!(", each after {}", write_duration(delay)));
        let check = match self.secret {
            Some(_) => "checks signatures",
            None => "does not check signatures (no --secret)",
        };
        format!("Listening on {} until Ctrl-C: {answers}{delay}; {check}. Times are UTC.\n", paint.bold(&url))
    }
}

fn delay(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(delay) if delay <= MAX_DELAY => Ok(delay),
        Some(_) => Err(format!("is above {}", write_duration(MAX_DELAY))),
        None => Err("is not a duration like 500ms or 20s".to_owned()),
    }
}

fn path(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "is not a path".to_owned())?;
    if text.starts_with('/') && uri.path() == text {
        Ok(text.to_owned())
    } else {
        Err("must be a path like /hooks".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(arguments: &[&str]) -> Result<Options, String> {
        let line = iter::once("listen").chain(arguments.iter().copied());
        Line::try_parse_from(line).map(|line| line.options).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_need_be_said() {
        let options = parsed(&[]).expect("defaults");
        assert_eq!((options.port, options.status, options.fail_first, options.delay), (9000, 200, 0, None));
    }

    #[test]
    fn bounds_are_held_and_the_option_is_named() {
        assert!(parsed(&["--status", "599", "--fail-first", "10000", "--delay", "1h"]).is_ok());
        for (option, value) in [
            ("--status", "199"),
            ("--status", "600"),
            ("--fail-first", "10001"),
            ("--delay", "3601s"),
            ("--delay", "soon"),
            ("--path", "hooks"),
            ("--path", "/hooks?a=1"),
            ("--secret", "abc"),
        ] {
            let refusal = parsed(&[option, value]).expect_err(value);
            assert!(refusal.contains(option), "{refusal}");
        }
    }

    #[tokio::test]
    async fn the_greeting_says_what_will_be_answered() {
        let receiver = Receiver::start(0).await.expect("a free port");
        let said = |arguments: &[&str]| parsed(arguments).expect("valid").greeting(&receiver, Paint::PLAIN);
        let plain = said(&[]);
        assert!(plain.contains("answers 200; does not check signatures (no --secret)"), "{plain}");
        let secret = SigningSecret::generate();
        let all =
            said(&["--fail-first", "2", "--delay", "500ms", "--secret", secret.expose(), "--path", "/in"]);
        assert!(
            all.contains("/in until Ctrl-C: answers 500 to the first 2 calls, then 200, each after 500ms"),
            "{all}"
        );
        assert!(all.contains("checks signatures.") && !all.contains(secret.expose()), "{all}");
    }
}
