//! The body of a notification, checked: every fault at once, in the words of this surface.

use axum::extract::Request;
use channels::telegram::has_content;
use domain::{
    delivery::Channel,
    message::{Fault, FaultKind},
    notification::{MAX_MESSAGE_CHARS, MAX_TITLE_CHARS, Notification},
};
use serde_json::{Map, Value};

use super::{channels_set, is_set, not_set};
use crate::{
    app::App,
    error_format::{DetailError, object},
    extract::json_bytes,
};

/// Largest body, in bytes: the longest message with every character escaped, and room for the rest.
const MAX_BODY: usize = 256 * 1_024;

/// The message, and its channels.
pub(super) struct Wanted {
    pub(super) notification: Notification,
    pub(super) channels: Vec<Channel>,
}

impl Wanted {
    /// Reads a body. `only` is the route's one channel.
    pub(super) async fn read(
        app: &App,
        request: Request,
        only: Option<Channel>,
    ) -> Result<Self, DetailError> {
        // A channel that is not set is reported before faults of the body.
        match only {
            Some(channel) if !is_set(app, channel) => return Err(not_set(only).into()),
            None if channels_set(app).is_empty() => return Err(not_set(None).into()),
            _ => {}
        }
        let body = json_bytes(request, MAX_BODY, &app.limits).await?;
        let mut members = Members::of(&body)?;
        let message = members.text("message", 1, MAX_MESSAGE_CHARS, true);
        let title = members.text("title", 0, MAX_TITLE_CHARS, false).filter(|title| !title.is_empty());
        let named = if only.is_none() { members.channels() } else { None };
        let Some(message) = message.filter(|_| members.faults.is_empty()) else {
            return Err(members.faults.into());
        };
        let channels = match (only, named) {
            (Some(channel), _) => vec![channel],
            (None, Some(named)) => named,
            (None, None) => channels_set(app),
        };
        if let Some(missing) = channels.iter().find(|channel| !is_set(app, **channel)) {
            return Err(not_set(Some(*missing)).into());
        }
        let notification = Notification { title, message, url: None, notice_id: None };
        if channels.contains(&Channel::Telegram) && !has_content(&notification) {
            let fault = Fault::of_member(
                "message",
                FaultKind::ValueError,
                "must have a character that Telegram shows",
            );
            return Err(vec![fault].into());
        }
        Ok(Self { notification, channels })
    }
}

/// The members of a body, and what was wrong with those that were looked at. Unknown ones are ignored.
struct Members {
    given: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Members {
    fn of(body: &[u8]) -> Result<Self, Vec<Fault>> {
        Ok(Self { given: object(body)?, faults: vec![] })
    }

    fn fault(&mut self, name: &'static str, kind: FaultKind, what: impl Into<String>) {
        self.faults.push(Fault::of_member(name, kind, what));
    }

    /// A text; its bounds are in characters, both included. `null` counts as left out.
    fn text(&mut self, name: &'static str, least: usize, most: usize, is_needed: bool) -> Option<String> {
        let text = match self.given.remove(name) {
            None | Some(Value::Null) if is_needed => {
                self.fault(name, FaultKind::Missing, "is required");
                return None;
            }
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => text,
            Some(_) => {
                self.fault(name, FaultKind::StringType, "must be a string");
                return None;
            }
        };
        match text.chars().count() {
            _ if text.contains('\0') => {
                self.fault(name, FaultKind::ValueError, "must not contain a NUL character");
            }
            count if count < least => {
                self.fault(name, FaultKind::StringTooShort, format!("must have at least {least} character"));
            }
            count if count > most => {
                self.fault(name, FaultKind::StringTooLong, format!("must have at most {most} characters"));
            }
            _ => return Some(text),
        }
        None
    }

    /// The channels that are named, each once; none when it is left to us.
    fn channels(&mut self) -> Option<Vec<Channel>> {
        const RULE: &str = "must be a list of telegram and web_push, or left out";
        let named = match self.given.remove("channels")? {
            Value::Null => return None,
            Value::Array(named) if !named.is_empty() => named,
            _ => {
                self.fault("channels", FaultKind::ValueError, RULE);
                return None;
            }
        };
        let channel =
            |name: &Value| name.as_str()?.parse().ok().filter(|channel| *channel != Channel::Webhook);
        let Some(mut channels) = named.iter().map(channel).collect::<Option<Vec<Channel>>>() else {
            self.fault("channels", FaultKind::ValueError, RULE);
            return None;
        };
        channels.sort_unstable_by_key(|channel| channel.as_str());
        channels.dedup();
        Some(channels)
    }
}
