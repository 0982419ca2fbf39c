//! Bodies that are a list of objects under one member: all of them are good, or all are refused. What they may say is the
//! resource's to know.

use axum::extract::Request;
use domain::problem::{FieldError, ProblemCode};
use serde_json::Value;

use super::{Fields, body::json_value};
use crate::{limits::Limits, problem::Problem};

/// Faults of items that one answer names; items behind the one that reaches it are not looked at.
const NAMED_FAULTS: usize = 1_000;

/// The 1 to `most` items under `name`, the one member of the body.
pub(crate) async fn json_list(
    request: Request,
    limit: usize,
    limits: &Limits,
    name: &str,
    most: usize,
) -> Result<Vec<Value>, Problem> {
    items(json_value(request, limit, limits).await?, name, most)
}

fn items(mut body: Value, name: &str, most: usize) -> Result<Vec<Value>, Problem> {
    // Taken first: errors within an item are reported with its index.
    let list = body.get_mut(name).map(Value::take);
    let mut fields = Fields::of(body)?;
    fields.optional(name, |_| Ok(()));
    let Some(Value::Array(items)) = list.filter(|list| has_items(list, most)) else {
        fields.note(FieldError::new(name, format!("must be an array of 1 to {most} items")));
        return Err(fields.refused());
    };
    fields.done()?;
    Ok(items)
}

fn has_items(list: &Value, most: usize) -> bool {
    list.as_array().is_some_and(|items| (1..=most).contains(&items.len()))
}

/// Reads every item; faults are named by their place, as in `notices[3].title`.
pub(crate) fn each<T>(
    name: &str,
    items: Vec<Value>,
    read: impl Fn(Fields) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let (mut all, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (place, item) in items.into_iter().enumerate() {
        match one(item, &read) {
            Ok(item) => all.push(item),
            Err(faults) => errors.extend(faults.into_iter().map(|fault| at(name, place, fault))),
        }
        if errors.len() >= NAMED_FAULTS {
            break;
        }
    }
    errors.truncate(NAMED_FAULTS);
    if errors.is_empty() { Ok(all) } else { Err(Problem { errors, ..ProblemCode::ValidationFailed.into() }) }
}

fn one<T>(item: Value, read: impl Fn(Fields) -> Result<T, Problem>) -> Result<T, Vec<FieldError>> {
    if !item.is_object() {
        return Err(vec![FieldError::new("", "must be a JSON object")]);
    }
    Fields::of(item).and_then(read).map_err(|problem| problem.errors)
}

fn at(name: &str, place: usize, fault: FieldError) -> FieldError {
    let dot = if fault.field.is_empty() { "" } else { "." };
    FieldError::new(format!("{name}[{place}]{dot}{}", fault.field), fault.message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(body: Value) -> Result<usize, String> {
        items(body, "things", 3).map(|items| items.len()).map_err(|problem| problem.sentence())
    }

    fn read(items: Vec<Value>) -> Result<Vec<i64>, Problem> {
        each("things", items, |mut fields| {
            let number =
                fields.required("n", |value| value.as_i64().ok_or_else(|| "must be a number".into()));
            let Some(number) = number else { return Err(fields.refused()) };
            fields.done().map(|()| number)
        })
    }

    #[test]
    fn a_list_has_one_item_at_least_and_a_bound() {
        let of = |count: usize| listed(json!({"things": vec![json!({}); count]}));
        assert_eq!((of(1), of(3)), (Ok(1), Ok(3)));
        let rule = "things: must be an array of 1 to 3 items";
        for bad in
            [of(0), of(4), listed(json!({})), listed(json!({"things": null})), listed(json!({"things": {}}))]
        {
            assert_eq!(bad, Err(rule.into()));
        }
        assert_eq!(listed(json!([])), Err("body: must be a JSON object".into()));
        let found = listed(json!({"things": 1, "more": 2}));
        assert_eq!(found, Err(format!("{rule}; more: is not a member here")));
        assert_eq!(listed(json!({"things": [1], "more": 2})), Err("more: is not a member here".into()));
    }

    #[test]
    fn every_fault_is_told_of_its_item() {
        assert_eq!(read(vec![json!({"n": 1}), json!({"n": 2})]), Ok(vec![1, 2]));
        let found =
            read(vec![json!({"n": 1}), json!(7), json!({"n": "a\0", "body": 1})]).expect_err("faults");
        assert_eq!(
            found.sentence(),
            "things[1]: must be a JSON object; things[2].n: must not contain a NUL character; \
             things[2].n: must be a number; things[2].body: is not a member here"
        );
    }

    #[test]
    fn an_answer_names_no_more_faults_than_its_bound() {
        let found = |count: usize| read(vec![json!({}); count]).expect_err("faults").errors.len();
        assert_eq!((found(NAMED_FAULTS), found(NAMED_FAULTS + 1)), (NAMED_FAULTS, NAMED_FAULTS));
    }
}
