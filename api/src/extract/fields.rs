//! The members of a JSON object, taken one by one; all errors of a body are reported together.
//! Take each member that is known, then call [`Fields::done`], or [`Fields::refused`] when one that is needed did not come.

use domain::{
    endpoint::WrittenJson,
    problem::{FieldError, ProblemCode},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::nul::{nul_members, shown};
use crate::problem::Problem;

/// Most unknown members that one answer names.
const NAMED_UNKNOWN: usize = 16;
/// Stands for a value that can't be held: one with a number beyond all, or nested too deep. No rule takes an empty array.
const BEYOND: Value = Value::Array(Vec::new());

/// The members of a body that have not been taken yet, and what was wrong with those that were.
pub(crate) struct Fields {
    given: Map<String, Value>,
    /// The same as they were written, where a body was read.
    written: Vec<(String, WrittenJson)>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The members of `body`, which has to be an object. Strings with NUL are faults, whatever they are for.
    pub(crate) fn of(body: Value) -> Result<Self, Problem> {
        let Value::Object(given) = body else {
            return Err(Problem::field(ProblemCode::ValidationFailed, "body", "must be a JSON object"));
        };
        Ok(Self { errors: nul_members(&given), given, written: Vec::new() })
    }

    /// The members of a body. A number that no value can hold is refused only where a value is asked for.
    pub(crate) fn read_body(body: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(body).map_err(|wrong| json_invalid(&wrong))?;
        let whole: &RawValue = serde_json::from_str(text).map_err(|wrong| json_invalid(&wrong))?;
        if !whole.get().starts_with('{') {
            return Self::of(Value::Null);
        }
        let written = Written::deserialize(whole).map_err(|wrong| json_invalid(&wrong))?.0;
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(BEYOND);
        let given = written.iter().map(|(name, raw)| (name.clone(), value(raw))).collect();
        let written = written.into_iter().map(|(name, raw)| (name, WrittenJson::from(raw))).collect();
        Ok(Self { written, ..Self::of(Value::Object(given))? })
    }

    /// The same as [`Self::optional`] for a member that is kept as it was written.
    pub(crate) fn optional_written<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&WrittenJson) -> Result<T, String>,
    ) -> Option<T> {
        self.clearable_written(name, read).flatten()
    }

    /// The same as [`Self::clearable`] for a member that is kept as it was written.
    pub(crate) fn clearable_written<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&WrittenJson) -> Result<T, String>,
    ) -> Option<Option<T>> {
        let written = self.written.iter().rfind(|(other, _)| other == name).map(|(_, json)| json.clone());
        self.clearable(name, |value| read(&written.unwrap_or_else(|| value.into())))
    }

    /// A member that has to be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.given.shift_remove(name) {
            None | Some(Value::Null) => self.fault(name, "is missing"),
            Some(value) => self.read(name, &value, read),
        }
    }

    /// A member that may be left out or be `null`.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.clearable(name, read).flatten()
    }

    /// A change of something that is always there: left out, it stays as it is; `null` is a fault.
    pub(crate) fn change<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.given.shift_remove(name)? {
            Value::Null => self.fault(name, "must not be null"),
            value => self.read(name, &value, read),
        }
    }

    /// A change of something optional: left out, it stays as it is; `null` (then the inner `None`) clears it.
    pub(crate) fn clearable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.given.shift_remove(name)? {
            Value::Null => Some(None),
            value => self.read(name, &value, read).map(Some),
        }
    }

    /// The members of an optional member that is an object; none where it is left out. Close it by [`Self::join`].
    pub(crate) fn object(&mut self, name: &str) -> Self {
        let object = |value: &Value| value.as_object().cloned().ok_or_else(|| "must be an object".to_owned());
        let given = self.optional(name, object).unwrap_or_default();
        Self { given, written: Vec::new(), errors: Vec::new() }
    }

    /// Closes the members of member `name`: what is wrong with them is named behind it, as in `filter.state`.
    pub(crate) fn join(&mut self, name: &str, inner: Self) {
        let faults = inner.refused().errors.into_iter();
        self.errors
            .extend(faults.map(|fault| FieldError::new(format!("{name}.{}", fault.field), fault.message)));
    }

    /// A fault that was found elsewhere.
    pub(crate) fn note(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// Whether anything that was taken so far is wrong.
    pub(crate) fn is_at_fault(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Nothing is left over and nothing was wrong; else every fault at once.
    pub(crate) fn done(self) -> Result<(), Problem> {
        if self.errors.is_empty() && self.given.is_empty() { Ok(()) } else { Err(self.refused()) }
    }

    /// The 422 that names every fault, unknown members among them.
    pub(crate) fn refused(mut self) -> Problem {
        let unknown = self.given.iter().take(NAMED_UNKNOWN);
        let unknown = unknown.map(|(name, _)| FieldError::new(shown(name), "is not a member here"));
        self.errors.extend(unknown);
        Problem { errors: self.errors, ..ProblemCode::ValidationFailed.into() }
    }

    /// Itself, unless something is wrong already; as [`Self::done_leniently`].
    pub(crate) fn well_so_far(self) -> Result<Self, Problem> {
        if self.errors.is_empty() {
            return Ok(self);
        }
        Err(Problem { errors: self.errors, ..ProblemCode::BadRequest.into() })
    }

    /// The same for a surface that ignores members it does not know, as a 400.
    pub(crate) fn done_leniently(self) -> Result<(), Problem> {
        self.well_so_far().map(drop)
    }

    fn read<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        read(value).map_err(|rule| self.note(FieldError::new(name, rule))).ok()
    }

    fn fault<T>(&mut self, name: &str, rule: &str) -> Option<T> {
        self.note(FieldError::new(name, rule));
        None
    }
}

pub(super) fn json_invalid(wrong: &dyn std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::JsonInvalid, format!("the body is not valid JSON: {wrong}"))
}

/// Members as they were written, in their order.
struct Written(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Written(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(value: &Value) -> Result<i64, String> {
        value.as_i64().ok_or_else(|| "must be a whole number".to_owned())
    }

    fn fields(body: Value) -> Fields {
        Fields::of(body).unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut given = fields(json!({"a": "x", "c": null, "d": "\0", "colour": 1, "e\n": 2}));
        assert_eq!((given.required("a", number), given.required("b", number)), (None, None));
        assert_eq!((given.change("c", number), given.optional("d", number)), (None, None));
        let verdict = given.done().expect_err("faults").sentence();
        assert_eq!(
            verdict,
            "d: must not contain a NUL character; a: must be a whole number; b: is missing; c: must not be null; \
             d: must be a whole number; colour: is not a member here; e\\n: is not a member here"
        );
    }

    #[test]
    fn what_is_left_out_what_is_null_and_what_is_given_differ() {
        let mut given = fields(json!({"null": null, "set": 1}));
        assert_eq!(given.clearable("out", number), None);
        assert_eq!(given.clearable("null", number), Some(None));
        assert_eq!(given.clearable("set", number), Some(Some(1)));
        assert!(given.done().is_ok());
    }

    #[test]
    fn faults_of_a_member_that_is_an_object_are_named_behind_it() {
        let read = |body| {
            let mut given = fields(body);
            let mut inner = given.object("in");
            let number = inner.optional("a", number);
            given.join("in", inner);
            given.done().map(|()| number).map_err(|problem| problem.sentence())
        };
        assert_eq!((read(json!({})), read(json!({"in": null}))), (Ok(None), Ok(None)));
        assert_eq!(read(json!({"in": {"a": 1}})), Ok(Some(1)));
        assert_eq!(read(json!({"in": []})), Err("in: must be an object".into()));
        let verdict = read(json!({"in": {"a": "x", "b": 1}, "c": 2}));
        let expected = "in.a: must be a whole number; in.b: is not a member here; c: is not a member here";
        assert_eq!(verdict, Err(expected.into()));
    }

    #[test]
    fn unknown_members_are_named_up_to_a_bound() {
        let many = |count: usize| (0..count).map(|i| (format!("m{i}"), json!(i))).collect::<Value>();
        let verdict = |count| fields(many(count)).done().expect_err("unknown members").errors.len();
        assert_eq!((verdict(NAMED_UNKNOWN), verdict(NAMED_UNKNOWN + 1)), (NAMED_UNKNOWN, NAMED_UNKNOWN));
        assert!(fields(many(0)).done().is_ok());
    }

    #[test]
    fn only_an_object_has_members() {
        for body in [json!([]), json!(null), json!("x"), json!(1)] {
            let problem = Fields::of(body).err().expect("refused");
            assert_eq!(
                (problem.code, problem.sentence()),
                (ProblemCode::ValidationFailed, "body: must be a JSON object".into())
            );
        }
    }
}
