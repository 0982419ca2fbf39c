//! Responses of the Bot API: every one is an object with `ok` (core.telegram.org/bots/api, "Making requests"). Anything else
//! comes from another server, such as a proxy.

use std::time::Duration;

use serde_json::Value;

/// Most characters of a description that are kept.
const MAX_DESCRIPTION: usize = 200;

/// A response of the Bot API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BotResponse {
    /// Whether the message was accepted.
    pub(super) ok: bool,
    /// The error code, if it was not accepted.
    pub(super) error_code: Option<u16>,
    /// The description of the error, on one line of at most [`MAX_DESCRIPTION`] characters.
    pub(super) description: String,
    /// The requested wait; zero counts as none.
    pub(super) retry_after: Option<Duration>,
    /// The new id of a group that became a supergroup.
    pub(super) migrate_to: Option<i64>,
}

impl BotResponse {
    /// Parses the beginning of a body. `None` when it is not from the Bot API.
    ///
    /// A truncated response is recognised by its first bytes: it repeats the accepted message, and with six bytes for each
    /// letter beyond ASCII that may exceed the 16 KiB that are read.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Value>(body) {
            Ok(answer) => Self::from_json(&answer),
            Err(_) => begins_with_ok(body).then(|| Self { ok: true, ..Self::default() }),
        }
    }

    /// Describes the refusal; `None` without a description.
    pub(super) fn error_text(&self) -> Option<String> {
        let code = self.error_code.map(|code| format!("{code}: ")).unwrap_or_default();
        (!self.description.is_empty()).then(|| format!("answered {code}{}", self.description))
    }

    fn from_json(answer: &Value) -> Option<Self> {
        let parameters = &answer["parameters"];
        Some(Self {
            ok: answer.get("ok")?.as_bool()?,
            error_code: answer["error_code"].as_u64().and_then(|code| code.try_into().ok()),
            description: one_line(answer["description"].as_str().unwrap_or_default()),
            retry_after: parameters["retry_after"].as_u64().filter(|wait| *wait > 0).map(Duration::from_secs),
            migrate_to: parameters["migrate_to_chat_id"].as_i64(),
        })
    }
}

fn begins_with_ok(body: &[u8]) -> bool {
    let mut solid = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    br#"{"ok":true,"#.iter().all(|expected| solid.next() == Some(expected))
}

fn one_line(text: &str) -> String {
    text.chars().take(MAX_DESCRIPTION).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_what_it_has() {
        let ok = BotResponse { ok: true, ..BotResponse::default() };
        assert_eq!(BotResponse::parse(br#"{"ok":true,"result":{"message_id":1}}"#), Some(ok));
        let slow =
            br#"{"ok":false,"error_code":429,"description":"Too\nMany","parameters":{"retry_after":7}}"#;
        let response = BotResponse::parse(slow).expect("read");
        assert_eq!(
            (response.ok, response.error_code, &response.description[..]),
            (false, Some(429), "Too Many")
        );
        assert_eq!((response.retry_after, response.migrate_to), (Some(Duration::from_secs(7)), None));
        let moved = br#"{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-1001234567890123}}"#;
        assert_eq!(
            BotResponse::parse(moved).and_then(|response| response.migrate_to),
            Some(-1_001_234_567_890_123)
        );
    }

    #[test]
    fn members_of_a_wrong_type_count_as_absent() {
        let odd = br#"{"ok":false,"error_code":"x","description":5,"parameters":{"retry_after":-1,"migrate_to_chat_id":"y"}}"#;
        assert_eq!(BotResponse::parse(odd), Some(BotResponse::default()));
        let zero = br#"{"ok":false,"error_code":70000,"parameters":{"retry_after":0}}"#;
        assert_eq!(BotResponse::parse(zero), Some(BotResponse::default()));
        assert_eq!(BotResponse::parse(br#"{"ok":false,"parameters":[]}"#), Some(BotResponse::default()));
    }

    #[test]
    fn bodies_of_other_servers_are_not_parsed() {
        for body in ["", "ok", "<html>", "[]", "{}", "null", r#"{"ok":1}"#, r#"{"error":"x"}"#, r#""ok""#] {
            assert_eq!(BotResponse::parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(BotResponse::parse(b"\xff"), None);
    }

    #[test]
    fn a_truncated_success_is_recognised_by_its_beginning() {
        for body in [r#"{"ok":true,"result":{"te"#, "\n{ \"ok\" : true , "] {
            assert_eq!(BotResponse::parse(body.as_bytes()).map(|response| response.ok), Some(true), "{body}");
        }
        for body in [
            r#"{"ok":true"#,
            r#"{"ok":false,"error_code":4"#,
            r#"{"ok":trueish,"#,
            r#"{"result":{"ok":true,"#,
        ] {
            assert_eq!(BotResponse::parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_refusal_is_described_by_the_bot_api() {
        let response = BotResponse {
            error_code: Some(403),
            description: "Forbidden: x".to_owned(),
            ..BotResponse::default()
        };
        assert_eq!(response.error_text().as_deref(), Some("answered 403: Forbidden: x"));
        assert_eq!(
            BotResponse { error_code: None, ..response }.error_text().as_deref(),
            Some("answered Forbidden: x")
        );
        assert_eq!(BotResponse { error_code: Some(400), ..BotResponse::default() }.error_text(), None);
    }

    #[test]
    fn a_description_is_bounded() {
        let of = |letters: usize| {
            let body = format!(r#"{{"ok":false,"description":"{}"}}"#, "ä".repeat(letters));
            BotResponse::parse(body.as_bytes()).expect("read").description.chars().count()
        };
        assert_eq!((of(MAX_DESCRIPTION), of(MAX_DESCRIPTION + 1)), (MAX_DESCRIPTION, MAX_DESCRIPTION));
    }
}
