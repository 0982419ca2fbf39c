//! Renders a call as text. Pure; removes control characters and truncates long bodies.

use domain::{clock::Millis, signature::VerifyError};

use crate::terminal::{Paint, cut, printable, time_of_day};
use receiver::Call;

/// Most lines of a body.
const MAX_LINES: usize = 60;
/// Most characters of a line.
const MAX_LINE: usize = 200;
/// Indentation below the time of day.
const INDENT: &str = "              ";

/// Renders the lines of one call; `seen` is how often this message has arrived, including this call.
pub(super) fn entry(
    call: &Call,
    now: Millis,
    seen: Option<u32>,
    verdict: Option<&Result<(), VerifyError>>,
    paint: Paint,
) -> String {
    let request = cut(&printable(&format!("{} {}", call.method, call.path)), MAX_LINE);
    let mut lines = vec![format!(
        "{}  {}  → {}",
        paint.dim(&time_of_day(now)),
        paint.bold(&request),
        answer(call, paint)
    )];
    let mut fact = |name: &str, value: &str| lines.push(format!("{INDENT}{name:<11}{value}"));
    let id = call.webhook_id().map_or_else(|| "none".to_owned(), |id| cut(&printable(id), MAX_LINE));
    match seen {
        None | Some(1) => fact("webhook-id", &id),
        Some(times) => fact("webhook-id", &format!("{id}  {}", paint.cyan(&format!("seen {times} times")))),
    }
    fact("signature", &signature(verdict, paint));
    lines.extend(body(call).into_iter().map(|line| format!("{INDENT}{line}")));
    lines.push(String::new());
    lines.join("\n")
}

fn answer(call: &Call, paint: Paint) -> String {
    let text = call.answered.to_string();
    if (200..300).contains(&call.answered) { paint.green(&text) } else { paint.red(&text) }
}

fn signature(verdict: Option<&Result<(), VerifyError>>, paint: Paint) -> String {
    match verdict {
        None => paint.dim("not checked: no --secret"),
        Some(Ok(())) => paint.green("valid"),
        Some(Err(why)) => paint.red(&format!("INVALID: {why}")),
    }
}

fn body(call: &Call) -> Vec<String> {
    let text = match call.json() {
        Some(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
        None => String::from_utf8_lossy(&call.body).into_owned(),
    };
    let all = text.lines().count();
    let mut lines: Vec<String> =
        text.lines().take(MAX_LINES).map(|line| cut(&printable(line), MAX_LINE)).collect();
    if all > MAX_LINES {
        lines.push(format!("… {} more lines", all - MAX_LINES));
    }
    if lines.is_empty() {
        lines.push("(no body)".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    const NOW: Millis = Millis(1_795_255_200_123);

    fn call(body: &str, answered: u16) -> Call {
        let headers = HeaderMap::from_iter([(
            "webhook-id".parse().expect("a name"),
            HeaderValue::from_static("evt_1"),
        )]);
        let body = body.to_owned().into();
        Call { method: Method::POST, path: "/in".to_owned(), headers, body, at: Instant::now(), answered }
    }

    #[test]
    fn a_call_is_printed_with_all_that_one_asks_for() {
        let text =
            entry(&call(r#"{"type":"upload file","n":1}"#, 500), NOW, Some(2), Some(&Ok(())), Paint::PLAIN);
        let expected = [
            "10:00:00.123  POST /in  → 500",
            "              webhook-id evt_1  seen 2 times",
            "              signature  valid",
            "              {",
            "                \"type\": \"upload file\",",
            "                \"n\": 1",
            "              }",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
    }

    #[test]
    fn a_verdict_is_plain() {
        let line = |verdict| entry(&call("", 200), NOW, Some(1), verdict, Paint::PLAIN);
        assert!(line(None).contains("signature  not checked: no --secret"));
        let invalid = line(Some(&Err(VerifyError::NoMatch)));
        assert!(invalid.contains("signature  INVALID: no signature matches"), "{invalid}");
        assert!(invalid.contains("(no body)") && !invalid.contains("seen"), "{invalid}");
    }

    #[test]
    fn a_long_or_hostile_body_is_cut_and_made_harmless() {
        let text = entry(&call(&"\x1b[2J\n".repeat(MAX_LINES + 3), 200), NOW, None, None, Paint::PLAIN);
        assert!(text.contains("… 3 more lines") && !text.contains('\x1b'), "{text}");
        let text = entry(&call(&"x".repeat(MAX_LINE + 1), 200), NOW, None, None, Paint::PLAIN);
        assert!(text.contains(&format!("{}…", "x".repeat(MAX_LINE))));
    }
}
