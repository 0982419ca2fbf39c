//! What a request for a replay says, checked member by member; every fault is told at once.

use domain::{
    clock::Millis,
    delivery::DeliveryState,
    id::{EndpointId, UserId},
    problem::{FieldError, ProblemCode},
    replay::{DEFAULT_RATE, MAX_RATE},
};
use serde_json::{Map, Value};

use crate::problem::Problem;

/// Longest name of an event type that is looked for, in characters.
const MAX_TYPE: usize = 255;

/// A request that keeps the rules.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) user_id: Option<UserId>,
    pub(super) endpoint_id: Option<EndpointId>,
    pub(super) of_state: DeliveryState,
    pub(super) event_type: Option<String>,
    pub(super) since: Option<Millis>,
    pub(super) until: Option<Millis>,
    pub(super) rate: i32,
    pub(super) dry_run: bool,
}

impl Wanted {
    /// Reads the body.
    pub(super) fn read(body: Value) -> Result<Self, Problem> {
        let Value::Object(body) = body else {
            return Err(Problem::new(ProblemCode::BadRequest, "the body must be a JSON object"));
        };
        let mut faults = Vec::new();
        let mut body = Members { given: body, prefix: "", faults: &mut faults };
        let filter = body.take("filter", "must be an object", |value| value.as_object().cloned());
        let rate_rule = format!("must be a whole number from 1 to {MAX_RATE}");
        let rate = body.take("rate_per_second", &rate_rule, rate);
        let dry_run = body.take("dry_run", "must be true or false", Value::as_bool);
        body.done();
        let mut filter =
            Members { given: filter.unwrap_or_default(), prefix: "filter.", faults: &mut faults };
        let time = "must be a time by RFC 3339, such as 2026-11-21T10:00:00Z";
        let wanted = Self {
            user_id: filter
                .take("user_id", "must be an integer of at most 64 bits", |value| value.as_i64().map(UserId)),
            endpoint_id: filter.take("endpoint_id", "is not a UUID", |value| value.as_str()?.parse().ok()),
            of_state: filter
                .take("state", "must be one of dead, succeeded, cancelled", finished)
                .unwrap_or(DeliveryState::Dead),
            event_type: filter.take("type", "must be a string of 1 to 255 characters", name),
            since: filter.take("since", time, |value| Millis::parse_rfc3339(value.as_str()?)),
            until: filter.take("until", time, |value| Millis::parse_rfc3339(value.as_str()?)),
            rate: rate.unwrap_or(DEFAULT_RATE),
            dry_run: dry_run.unwrap_or(false),
        };
        filter.done();
        if faults.is_empty() {
            return Ok(wanted);
        }
        Err(Problem { errors: faults, ..ProblemCode::ValidationFailed.into() })
    }
}

/// The members of an object: take each that is known, then say [`Members::done`].
struct Members<'a> {
    given: Map<String, Value>,
    prefix: &'static str,
    faults: &'a mut Vec<FieldError>,
}

impl Members<'_> {
    /// A member, if it is there and not null; `rule` says what it must be.
    fn take<T>(&mut self, name: &str, rule: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.given.remove(name).filter(|value| !value.is_null())?;
        let read = read(&value);
        if read.is_none() {
            self.faults.push(FieldError::new(format!("{}{name}", self.prefix), rule));
        }
        read
    }

    fn done(self) {
        let Self { given, prefix, faults } = self;
        let unknown = given.into_iter().take(16).map(|(name, _)| {
            let name: String = name.chars().take(64).flat_map(char::escape_default).collect();
            FieldError::new(format!("{prefix}{name}"), "is not a member here")
        });
        faults.extend(unknown);
    }
}

fn rate(value: &Value) -> Option<i32> {
    let rate = i32::try_from(value.as_i64()?).ok()?;
    (1..=MAX_RATE).contains(&rate).then_some(rate)
}

fn finished(value: &Value) -> Option<DeliveryState> {
    value.as_str()?.parse().ok().filter(|state: &DeliveryState| state.is_finished())
}

fn name(value: &Value) -> Option<String> {
    let name = value.as_str()?;
    (1..=MAX_TYPE).contains(&name.chars().count()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Wanted, String> {
        Wanted::read(body).map_err(|problem| problem.sentence())
    }

    #[test]
    fn without_a_word_it_is_all_dead_letters_at_fifty_a_second() {
        let wanted = read(json!({})).expect("nothing is needed");
        assert_eq!((wanted.of_state, wanted.rate, wanted.dry_run), (DeliveryState::Dead, 50, false));
        assert_eq!(read(json!({"filter": null, "dry_run": null})).expect("null is nothing"), wanted);
    }

    #[test]
    fn a_pace_is_taken_within_its_bounds_only() {
        for rate in [1, 1_000] {
            assert_eq!(read(json!({"rate_per_second": rate})).map(|wanted| wanted.rate), Ok(rate));
        }
        for bad in [json!(0), json!(1_001), json!(-1), json!(1.5), json!("5"), json!(4_294_967_297_i64)] {
            let told = read(json!({"rate_per_second": bad}));
            assert_eq!(told, Err("rate_per_second: must be a whole number from 1 to 1000".into()), "{bad}");
        }
    }

    #[test]
    fn a_type_has_at_most_255_characters() {
        let of = |characters| read(json!({"filter": {"type": "ü".repeat(characters)}}));
        assert!(of(1).is_ok() && of(255).is_ok());
        assert!(of(0).is_err() && of(256).is_err());
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let told =
            read(json!({"dry_run": 1, "speed": 2, "filter": {"state": "pending", "since": "today", "x": 1}}));
        assert_eq!(
            told.expect_err("five faults"),
            "dry_run: must be true or false; speed: is not a member here; filter.state: must be one of dead, succeeded, \
             cancelled; filter.since: must be a time by RFC 3339, such as 2026-11-21T10:00:00Z; filter.x: is not a member here"
        );
        assert!(read(json!([])).is_err() && read(json!({"filter": []})).is_err());
    }
}
