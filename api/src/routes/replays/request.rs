//! What a request for a replay says, checked member by member; every fault is named at once.

use domain::{
    clock::Millis,
    delivery::DeliveryState,
    id::{EndpointId, UserId},
    replay::{DEFAULT_RATE, MAX_RATE},
};
use serde_json::Value;

use crate::{extract::Fields, problem::Problem};

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
    pub(super) fn read(mut body: Fields) -> Result<Self, Problem> {
        let mut filter = body.object("filter");
        let wanted = Self {
            user_id: filter.optional("user_id", user_id),
            endpoint_id: filter.optional("endpoint_id", endpoint_id),
            of_state: filter.optional("state", finished).unwrap_or(DeliveryState::Dead),
            event_type: filter.optional("type", name),
            since: filter.optional("since", time),
            until: filter.optional("until", time),
            rate: body.optional("rate_per_second", rate).unwrap_or(DEFAULT_RATE),
            dry_run: body.optional("dry_run", truth).unwrap_or(false),
        };
        body.join("filter", filter);
        body.done()?;
        Ok(wanted)
    }
}

type Checked<T> = Result<T, String>;

fn user_id(value: &Value) -> Checked<UserId> {
    value.as_i64().map(UserId).ok_or_else(|| "must be an integer of at most 64 bits".into())
}

fn endpoint_id(value: &Value) -> Checked<EndpointId> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| "is not a UUID".into())
}

fn time(value: &Value) -> Checked<Millis> {
    let time = value.as_str().and_then(Millis::parse_rfc3339);
    time.ok_or_else(|| "must be a time by RFC 3339, such as 2026-11-21T10:00:00Z".into())
}

fn truth(value: &Value) -> Checked<bool> {
    value.as_bool().ok_or_else(|| "must be true or false".into())
}

fn rate(value: &Value) -> Checked<i32> {
    let rate = value.as_i64().and_then(|rate| i32::try_from(rate).ok());
    let rule = || format!("must be a whole number from 1 to {MAX_RATE}");
    rate.filter(|rate| (1..=MAX_RATE).contains(rate)).ok_or_else(rule)
}

fn finished(value: &Value) -> Checked<DeliveryState> {
    let state = value.as_str().and_then(|word| word.parse().ok());
    let rule = || "must be one of dead, succeeded, cancelled".into();
    state.filter(|state: &DeliveryState| state.is_finished()).ok_or_else(rule)
}

fn name(value: &Value) -> Checked<String> {
    let name = value.as_str().filter(|name| (1..=MAX_TYPE).contains(&name.chars().count()));
    name.map(str::to_owned).ok_or_else(|| format!("must be a string of 1 to {MAX_TYPE} characters"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Wanted, String> {
        Fields::of(body).and_then(Wanted::read).map_err(|problem| problem.sentence())
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
            let found = read(json!({"rate_per_second": bad}));
            assert_eq!(found, Err("rate_per_second: must be a whole number from 1 to 1000".into()), "{bad}");
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
        let found =
            read(json!({"dry_run": 1, "speed": 2, "filter": {"state": "pending", "since": "today", "x": 1}}));
        assert_eq!(
            found.expect_err("five faults"),
            "dry_run: must be true or false; filter.state: must be one of dead, succeeded, cancelled; filter.since: \
             must be a time by RFC 3339, such as 2026-11-21T10:00:00Z; filter.x: is not a member here; \
             speed: is not a member here"
        );
        assert!(read(json!([])).is_err() && read(json!({"filter": []})).is_err());
    }
}
