//! What is wrong with a value, in the words that clients of the ingest surface know.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::words::words;

words! {
    /// The kind of a fault, the `type` of an error.
    FaultKind {
        /// A required member is not there.
        Missing = "missing",
        /// Not a string.
        StringType = "string_type",
        /// Shorter than it must be.
        StringTooShort = "string_too_short",
        /// Longer than it may be.
        StringTooLong = "string_too_long",
        /// Of the right type, and wrong.
        ValueError = "value_error",
        /// The body is not JSON.
        JsonInvalid = "json_invalid",
        /// Not a whole number.
        IntParsing = "int_parsing",
        /// Below its least value.
        GreaterThanEqual = "greater_than_equal",
        /// Above its greatest value.
        LessThanEqual = "less_than_equal",
    }
}

/// One fault: where, what and of which kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it is: `["body", "ts"]`, `["query", "limit"]`.
    pub loc: Vec<&'static str>,
    /// The rule, for people.
    pub msg: String,
    /// The kind, for programs.
    #[serde(rename = "type")]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault of a whole body.
    #[must_use]
    pub fn of_body(kind: FaultKind, what: &str) -> Self {
        Self { loc: vec!["body"], msg: format!("the body {what}"), kind }
    }

    /// A fault of a member of the body.
    #[must_use]
    pub fn of_member(name: &'static str, kind: FaultKind, what: impl Into<String>) -> Self {
        Self { loc: vec!["body", name], msg: format!("{name} {}", what.into()), kind }
    }

    /// A fault of a parameter of the query.
    #[must_use]
    pub fn of_parameter(name: &'static str, kind: FaultKind, what: impl Into<String>) -> Self {
        Self { loc: vec!["query", name], msg: format!("{name} {}", what.into()), kind }
    }
}
