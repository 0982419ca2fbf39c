//! Validation errors in the format of the messages API.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::string_enum::string_enum;

string_enum! {
    /// The kind of a validation error: its `type` in responses.
    FaultKind {
        /// A required member is missing.
        Missing = "missing",
        /// Not a string.
        StringType = "string_type",
        /// Too short.
        StringTooShort = "string_too_short",
        /// Too long.
        StringTooLong = "string_too_long",
        /// Of the right type, but invalid.
        ValueError = "value_error",
        /// The body is not JSON.
        JsonInvalid = "json_invalid",
        /// Not a whole number.
        IntParsing = "int_parsing",
        /// Below the minimum.
        GreaterThanEqual = "greater_than_equal",
        /// Above the maximum.
        LessThanEqual = "less_than_equal",
    }
}

/// One validation error: its location, message and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The location: `["body", "ts"]`, `["query", "limit"]`.
    pub loc: Vec<&'static str>,
    /// The violated rule, for people.
    pub msg: String,
    /// The kind, for programs.
    #[serde(rename = "type")]
    pub kind: FaultKind,
}

impl Fault {
    /// Creates an error of the whole body.
    #[must_use]
    pub fn of_body(kind: FaultKind, what: &str) -> Self {
        Self { loc: vec!["body"], msg: format!("the body {what}"), kind }
    }

    /// Creates an error of a member of the body.
    #[must_use]
    pub fn of_member(name: &'static str, kind: FaultKind, what: impl Into<String>) -> Self {
        Self { loc: vec!["body", name], msg: format!("{name} {}", what.into()), kind }
    }

    /// Creates an error of a query parameter.
    #[must_use]
    pub fn of_parameter(name: &'static str, kind: FaultKind, what: impl Into<String>) -> Self {
        Self { loc: vec!["query", name], msg: format!("{name} {}", what.into()), kind }
    }
}
