//! Query strings of `/v1`, checked: every bad, repeated or unknown parameter is named in one 422.

use std::{collections::BTreeMap, convert::Infallible, ops::RangeInclusive, str::FromStr};

use axum::extract::FromRequestParts;
use domain::problem::{FieldError, ProblemCode};
use http::request::Parts;

use crate::problem::Problem;

/// The parameters of a query string: take each that is known, then call [`Query::done`].
pub(crate) struct Query {
    given: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or("")))
    }
}

impl Query {
    fn parse(query: &str) -> Self {
        let mut parsed = Self { given: BTreeMap::new(), errors: Vec::new() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if parsed.given.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                parsed.errors.push(FieldError::new(name, "is given twice"));
            }
        }
        parsed
    }

    /// A parameter as written.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name)
    }

    /// A parameter of a type that is read from text; `rule` says what it must be.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str, rule: &str) -> Option<T> {
        let value = self.text(name)?.parse().ok();
        if value.is_none() {
            self.errors.push(FieldError::new(name, rule));
        }
        value
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, name: &str, bounds: RangeInclusive<u64>, default: u64) -> u64 {
        let rule = format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(number) = self.parsed(name, &rule) else {
            return default;
        };
        if !bounds.contains(&number) {
            self.errors.push(FieldError::new(name, rule));
        }
        number
    }

    /// Nothing is left over and nothing was wrong; else every fault at once.
    pub(crate) fn done(mut self) -> Result<(), Problem> {
        let unknown = self.given.into_keys().map(|name| FieldError::new(name, "is not a parameter here"));
        self.errors.extend(unknown);
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem { errors: self.errors, ..ProblemCode::ValidationFailed.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(query: &str) -> Result<u64, String> {
        let mut query = Query::parse(query);
        let limit = query.number("limit", 1..=1_000, 100);
        query.done().map(|()| limit).map_err(|problem| problem.sentence())
    }

    #[test]
    fn a_number_is_taken_within_its_bounds_only() {
        assert_eq!((limit(""), limit("limit=1"), limit("limit=1000")), (Ok(100), Ok(1), Ok(1_000)));
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=1.0", "limit=", "limit"] {
            assert_eq!(limit(bad), Err("limit: must be a whole number from 1 to 1000".into()), "{bad}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let found = limit("limit=0&colour=red&limit=0").expect_err("three faults");
        assert_eq!(
            found,
            "limit: is given twice; limit: must be a whole number from 1 to 1000; colour: is not a parameter here"
        );
    }
}
