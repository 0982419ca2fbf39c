//! What the Bot API said, as far as it can be read: every answer of its own is an object with `ok` (core.telegram.org/bots/api,
//! "Making requests"). Anything else was said by somebody else.

use std::time::Duration;

use serde_json::Value;

/// Most characters of a description that are repeated.
const MAX_DESCRIPTION: usize = 200;

/// An answer of the Bot API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BotResponse {
    /// Whether the message was taken.
    pub(super) ok: bool,
    /// The status that it means, where it is not taken.
    pub(super) error_code: Option<u16>,
    /// Why not, in its words, on one line of at most [`MAX_DESCRIPTION`] characters.
    pub(super) description: String,
    /// The wait that it asks for; a wish for no wait counts as none.
    pub(super) retry_after: Option<Duration>,
    /// The chat that the group has become.
    pub(super) migrate_to: Option<i64>,
}

impl BotResponse {
    /// Reads the beginning of a body. `None` when it is not the Bot API's.
    ///
    /// An answer that is larger than what is kept is still known by how it begins: the accepted message is repeated in it,
    /// and six bytes for each letter that is not ASCII are more than 16 KiB.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Value>(body) {
            Ok(answer) => Self::of(&answer),
            Err(_) => begins_with_ok(body).then(|| Self { ok: true, ..Self::default() }),
        }
    }

    /// The refusal in a few words; `None` when it has no description.
    pub(super) fn words(&self) -> Option<String> {
        let code = self.error_code.map(|code| format!("{code}: ")).unwrap_or_default();
        (!self.description.is_empty()).then(|| format!("answered {code}{}", self.description))
    }

    fn of(answer: &Value) -> Option<Self> {
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
        assert_eq!(BotResponse::read(br#"{"ok":true,"result":{"message_id":1}}"#), Some(ok));
        let slow =
            br#"{"ok":false,"error_code":429,"description":"Too\nMany","parameters":{"retry_after":7}}"#;
        let told = BotResponse::read(slow).expect("read");
        assert_eq!((told.ok, told.error_code, &told.description[..]), (false, Some(429), "Too Many"));
        assert_eq!((told.retry_after, told.migrate_to), (Some(Duration::from_secs(7)), None));
        let moved = br#"{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-1001234567890123}}"#;
        assert_eq!(BotResponse::read(moved).and_then(|told| told.migrate_to), Some(-1_001_234_567_890_123));
    }

    #[test]
    fn what_is_odd_inside_counts_as_absent() {
        let odd = br#"{"ok":false,"error_code":"x","description":5,"parameters":{"retry_after":-1,"migrate_to_chat_id":"y"}}"#;
        assert_eq!(BotResponse::read(odd), Some(BotResponse::default()));
        let zero = br#"{"ok":false,"error_code":70000,"parameters":{"retry_after":0}}"#;
        assert_eq!(BotResponse::read(zero), Some(BotResponse::default()));
        assert_eq!(BotResponse::read(br#"{"ok":false,"parameters":[]}"#), Some(BotResponse::default()));
    }

    #[test]
    fn what_somebody_else_said_is_not_read() {
        for body in ["", "ok", "<html>", "[]", "{}", "null", r#"{"ok":1}"#, r#"{"error":"x"}"#, r#""ok""#] {
            assert_eq!(BotResponse::read(body.as_bytes()), None, "{body}");
        }
        assert_eq!(BotResponse::read(b"\xff"), None);
    }

    #[test]
    fn an_answer_that_was_cut_is_known_by_its_beginning_when_it_is_good() {
        for body in [r#"{"ok":true,"result":{"te"#, "\n{ \"ok\" : true , "] {
            assert_eq!(BotResponse::read(body.as_bytes()).map(|told| told.ok), Some(true), "{body}");
        }
        for body in [
            r#"{"ok":true"#,
            r#"{"ok":false,"error_code":4"#,
            r#"{"ok":trueish,"#,
            r#"{"result":{"ok":true,"#,
        ] {
            assert_eq!(BotResponse::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        let told = BotResponse {
            error_code: Some(403),
            description: "Forbidden: x".to_owned(),
            ..BotResponse::default()
        };
        assert_eq!(told.words().as_deref(), Some("answered 403: Forbidden: x"));
        assert_eq!(
            BotResponse { error_code: None, ..told }.words().as_deref(),
            Some("answered Forbidden: x")
        );
        assert_eq!(BotResponse { error_code: Some(400), ..BotResponse::default() }.words(), None);
    }

    #[test]
    fn a_description_is_bounded() {
        let of = |letters: usize| {
            let body = format!(r#"{{"ok":false,"description":"{}"}}"#, "ä".repeat(letters));
            BotResponse::read(body.as_bytes()).expect("read").description.chars().count()
        };
        assert_eq!((of(MAX_DESCRIPTION), of(MAX_DESCRIPTION + 1)), (MAX_DESCRIPTION, MAX_DESCRIPTION));
    }
}
