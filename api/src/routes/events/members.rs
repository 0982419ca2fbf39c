//! The members of a JSON object as they were written: take each that is known, then call [`Members::done`].
//! Values stay unread bytes until somebody asks for them.

use std::fmt;

use domain::problem::{FieldError, ProblemCode};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::problem::Problem;

/// Most faults that one answer names.
const NAMED_FAULTS: usize = 32;
/// Most of an unknown member's name that is told, in characters.
const NAME_CHARS: usize = 64;

/// What is left of an object, and what was wrong so far.
pub(super) struct Members<'b> {
    given: Vec<(String, &'b RawValue)>,
    faults: Vec<FieldError>,
}

impl<'b> Members<'b> {
    /// The members of `json`.
    pub(super) fn of(json: &'b RawValue) -> Result<Self, Problem> {
        let Pairs(pairs) = serde_json::from_str(json.get())
            .map_err(|_| Problem::field(ProblemCode::ValidationFailed, "body", "must be a JSON object"))?;
        let mut members = Self { given: Vec::with_capacity(pairs.len().min(16)), faults: vec![] };
        for (name, value) in pairs {
            if members.given.iter().any(|(other, _)| *other == name) {
                members.fault(shown(&name), "is given twice");
            } else if members.given.len() < NAMED_FAULTS {
                members.given.push((name, value));
            } else {
                members.fault(shown(&name), UNKNOWN);
            }
        }
        Ok(members)
    }

    /// A member as it was written.
    pub(super) fn raw(&mut self, name: &str) -> Option<&'b RawValue> {
        let place = self.given.iter().position(|(other, _)| other == name)?;
        Some(self.given.swap_remove(place).1)
    }

    /// A member of a type; `rule` says what it must be. `null` is as good as absent.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &str, rule: &str) -> Option<T> {
        let value = self.raw(name).filter(|value| value.get() != "null")?;
        let read = serde_json::from_str(value.get()).ok();
        if read.is_none() {
            self.fault(name, rule);
        }
        read
    }

    /// The same, and it must be there.
    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &str, rule: &str) -> Option<T> {
        if !self.given.iter().any(|(other, value)| other == name && value.get() != "null") {
            self.raw(name);
            self.fault(name, "is missing");
            return None;
        }
        self.optional(name, rule)
    }

    /// `field` breaks `rule`.
    pub(super) fn fault(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        if self.faults.len() < NAMED_FAULTS {
            self.faults.push(FieldError::new(field, rule));
        }
    }

    /// Nothing is left over and nothing was wrong; else every fault at once.
    pub(super) fn done(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.given) {
            self.fault(shown(&name), UNKNOWN);
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Problem { errors: self.faults, ..ProblemCode::ValidationFailed.into() })
    }
}

const UNKNOWN: &str = "is not a member here";

/// A member's name as it can be told: bounded, with its control characters visible.
fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS).flat_map(char::escape_default).collect()
}

/// The members of an object in their order, their values unread.
struct Pairs<'b>(Vec<(String, &'b RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}
