//! Reports for programs: one line.

use serde_json::{Map, Value, json};

use super::Report;

/// One object: the report's own, or `{"reports": […]}` when there are several.
pub(crate) fn line(reports: &[Report]) -> String {
    match reports {
        [one] => value_of(one).to_string(),
        many => json!({"reports": many.iter().map(value_of).collect::<Vec<_>>()}).to_string(),
    }
}

fn value_of(report: &Report) -> Value {
    let mut object = Map::new();
    object.insert("scenario".into(), report.scenario.into());
    if let Some(shape) = report.shape {
        object.insert("shape".into(), shape.name().into());
    }
    if let Some(gave_up) = &report.gave_up {
        let after_s = rounded(gave_up.after.as_secs_f64());
        object.insert("gave_up".into(), json!({"reason": gave_up.reason, "after_s": after_s}));
    }
    for (name, value) in &report.figures {
        object.insert(name.clone(), rounded(*value).into());
    }
    if !report.costs.is_empty() {
        let by_part = |value: fn(&crate::measure::Cost) -> f64| -> Value {
            report
                .costs
                .iter()
                .map(|cost| (cost.part.to_owned(), Value::from(rounded(value(cost)))))
                .collect()
        };
        object.insert("cpu_s".into(), by_part(|cost| cost.cpu_s));
        object.insert("rss_mib".into(), by_part(|cost| cost.mib));
    }
    let goals = report.goals.iter().map(|goal| json!({"goal": goal.wanted, "met": goal.met}));
    object.insert("goals".into(), goals.collect());
    object.insert("notes".into(), json!(report.notes));
    object.into()
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::Shape, measure::Cost};

    #[test]
    fn figures_stand_at_the_top_and_costs_by_part() {
        let mut report = Report::new("throughput", Shape::Embedded);
        report.figure("ratio", 0.123_45).goal("ratio ≥ 0.30", false);
        report.costs.push(Cost { part: "hookyard", cpu_s: 2.0, cores: 1.0, mib: 30.0 });
        let value: Value = serde_json::from_str(&line(std::slice::from_ref(&report))).expect("JSON");
        assert_eq!(value["ratio"], 0.123);
        assert_eq!(value["cpu_s"]["hookyard"], 2.0);
        assert_eq!(value["goals"][0], json!({"goal": "ratio ≥ 0.30", "met": false}));
        let many: Value = serde_json::from_str(&line(&[report.clone(), report])).expect("JSON");
        assert_eq!(many["reports"].as_array().map(Vec::len), Some(2));
    }
}
