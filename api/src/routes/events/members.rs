//! The members of a JSON object as they were written: take each that is known, then call [`Members::done`].
//! Values stay unparsed bytes until they are needed.

use std::fmt;

use domain::problem::{FieldError, ProblemCode};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::problem::Problem;

/// Most members that an object is taken with.
const MAX_MEMBERS: usize = 32;
/// Most faults that one answer names.
const NAMED_FAULTS: usize = 32;
/// Longest part of an unknown member's name in an error, in characters.
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
        let mut members = Self { given: Vec::with_capacity(pairs.len()), faults: vec![] };
        if pairs.len() > MAX_MEMBERS {
            members.fault("body", format!("has more than {MAX_MEMBERS} members"));
        }
        for (name, value) in pairs.into_iter().take(MAX_MEMBERS) {
            if members.given.iter().any(|(other, _)| *other == name) {
                members.fault(shown(&name), "is given twice");
            } else {
                members.given.push((name, value));
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

/// A member's name for an error: bounded, with control characters escaped.
fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS).flat_map(char::escape_default).collect()
}

/// At most `most` items of a JSON array, unread; none when it is no array or has more. What is too much is never held.
pub(super) fn items(array: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    let mut reader = serde_json::Deserializer::from_str(array.get());
    let items = reader.deserialize_seq(Bounded(most)).ok()?;
    (items.len() <= most).then_some(items)
}

/// Holds one more than its bound, which says that there are more; reads over the rest.
struct Bounded(usize);

impl<'de> Visitor<'de> for Bounded {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() <= self.0 {
            let Some(item) = seq.next_element()? else { return Ok(items) };
            items.push(item);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(items)
    }
}

/// The members of an object in their order, their values unread; none of those beyond the bound but one.
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
        while pairs.len() <= MAX_MEMBERS {
            let Some(pair) = map.next_entry()? else { return Ok(Pairs(pairs)) };
            pairs.push(pair);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("JSON")
    }

    #[test]
    fn an_array_is_held_up_to_its_bound() {
        let held = |json: &str| items(&raw(json), 3).map(|items| items.len());
        assert_eq!((held("[]"), held("[1,[2],3]"), held("[1,2,3,4]")), (Some(0), Some(3), None));
        assert_eq!((held("{}"), held("null"), held("\"[1]\"")), (None, None, None));
    }

    #[test]
    fn an_object_has_at_most_32_members() {
        let parsed = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{n}")).collect();
            let object = raw(&format!("{{{}}}", members.join(",")));
            let mut members = Members::of(&object)?;
            for n in 0..count.min(MAX_MEMBERS) {
                members.raw(&format!("m{n}"));
            }
            members.done()
        };
        assert_eq!(parsed(MAX_MEMBERS), Ok(()));
        let refused = parsed(MAX_MEMBERS + 1).expect_err("one too many");
        assert_eq!(refused.sentence(), "body: has more than 32 members");
    }
}
