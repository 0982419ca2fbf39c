//! What a list of deliveries is narrowed by, as query parameters.

use domain::{
    clock::Millis,
    delivery::{Channel, DisplayStatus, ErrorClass},
    id::UserId,
};
use entity::delivery::queries::Filter;

use crate::extract::Query;

/// Longest name of an event type that is looked for, in characters.
const MAX_TYPE: usize = 255;

/// Takes every parameter that narrows, and the cursor.
pub(super) fn read(query: &mut Query) -> Filter {
    Filter {
        user_id: query.parsed("user_id", "must be an integer of at most 64 bits").map(UserId),
        endpoint_id: query.parsed("endpoint_id", "is not a UUID"),
        event_id: query.parsed("event_id", "is not a UUID"),
        status: query.parsed("state", &one_of(DisplayStatus::ALL.iter().map(|word| word.as_str()))),
        channel: query.parsed("channel", &one_of(Channel::ALL.iter().map(|word| word.as_str()))),
        event_type: query
            .parsed("type", "must have 1 to 255 characters, none of them NUL")
            .map(|EventTypeName(name)| name),
        since: query.parsed("since", TIME).map(|Time(at)| at),
        until: query.parsed("until", TIME).map(|Time(at)| at),
        error_class: query.parsed("error_class", &one_of(ErrorClass::ALL.iter().map(|word| word.as_str()))),
        before: query.parsed("cursor", "must be the next_cursor of a page"),
    }
}

const TIME: &str = "must be a time by RFC 3339, such as 2026-11-21T10:00:00Z";

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("must be one of {}", words.collect::<Vec<_>>().join(", "))
}

struct EventTypeName(String);

impl std::str::FromStr for EventTypeName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = (1..=MAX_TYPE).contains(&text.chars().count()) && !text.contains('\0');
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

struct Time(Millis);

impl std::str::FromStr for Time {
    type Err = ();

    // A bare `+` of an offset arrives as a space.
    fn from_str(text: &str) -> Result<Self, ()> {
        Millis::parse_rfc3339(text)
            .or_else(|| Millis::parse_rfc3339(&text.replace(' ', "+")))
            .map(Self)
            .ok_or(())
    }
}
