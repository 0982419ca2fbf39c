//! Reports for people.

use std::fmt::Write;

use super::{GaveUp, Goal, Report};
use crate::{cluster::Shape, measure::Cost};

/// One report.
pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("\n{}\n", report.title());
    if let Some(GaveUp { reason, after }) = &report.gave_up {
        line(&mut text, format_args!("  GAVE UP after {:.1} s: {reason}", after.as_secs_f64()));
    }
    for (name, value) in &report.figures {
        line(&mut text, format_args!("  {name:<32}{:>14}", number(*value)));
    }
    if !report.costs.is_empty() {
        line(&mut text, format_args!("  {:<16}{:>10}{:>10}{:>10}", "part", "cpu s", "cores", "MiB"));
        report.costs.iter().for_each(|cost| cost_line(&mut text, cost));
    }
    report.goals.iter().for_each(|goal| line(&mut text, format_args!("  {}", verdict(goal))));
    report.notes.iter().for_each(|note| line(&mut text, format_args!("  note: {note}")));
    text
}

/// The goals of all reports.
pub(crate) fn summary(reports: &[Report]) -> String {
    let mut text = String::from("\nall goals\n");
    for report in reports {
        for goal in &report.goals {
            let shape = report.shape.map_or("", Shape::name);
            line(&mut text, format_args!("  {:<12}{shape:<10}{}", report.scenario, verdict(goal)));
        }
    }
    let goals = || reports.iter().flat_map(|report| &report.goals);
    let met = goals().filter(|goal| goal.met).count();
    line(&mut text, format_args!("  {met} of {} met", goals().count()));
    text
}

fn verdict(goal: &Goal) -> String {
    format!("{:<8}{}", if goal.met { "met" } else { "NOT MET" }, goal.wanted)
}

fn cost_line(text: &mut String, cost: &Cost) {
    let Cost { part, cpu_s, cores, mib } = cost;
    line(text, format_args!("  {part:<16}{cpu_s:>10.2}{cores:>10.2}{mib:>10.1}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all");
}

/// As many digits as are worth reading.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 || value == value.trunc() => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_are_worth_reading() {
        let shown = [1_234.5, 12.34, 0.256_7, 3.0, 0.0].map(number);
        assert_eq!(shown, ["1234", "12.3", "0.257", "3", "0"]);
    }

    #[test]
    fn a_table_says_when_a_measurement_gave_up() {
        let mut report = Report::new("soak", Shape::Cluster);
        report.give_up("8192 requests wait for an answer".into(), std::time::Duration::from_millis(412_300));
        assert!(render(&report).contains("GAVE UP after 412.3 s: 8192 requests wait for an answer"));
    }

    #[test]
    fn a_table_tells_figures_costs_goals_and_notes() {
        let mut report = Report::new("throughput", Shape::Cluster);
        report.figure("delivered_per_s", 1_000.0).goal("ratio ≥ 0.25", false).note("two cores");
        report.costs.push(Cost { part: "api", cpu_s: 1.5, cores: 0.75, mib: 20.0 });
        let table = render(&report);
        for part in ["throughput on cluster", "delivered_per_s", "1000", "api", "NOT MET ratio", "two cores"]
        {
            assert!(table.contains(part), "{part} is missing:\n{table}");
        }
        assert!(summary(&[report]).contains("0 of 1 met"));
    }
}
