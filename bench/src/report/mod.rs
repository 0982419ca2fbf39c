//! What a scenario found: figures, goals and costs, as a table and as JSON.

pub(crate) mod json;
pub(crate) mod table;

use std::time::Duration;

use crate::{cluster::Shape, measure::Cost};

/// The findings of one scenario on one shape.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    /// None for another platform.
    pub(crate) shape: Option<Shape>,
    /// Numbers by name; a name ends in its unit.
    pub(crate) figures: Vec<(String, f64)>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) costs: Vec<Cost>,
    /// What a reader must know to trust the figures.
    pub(crate) notes: Vec<String>,
    /// Accepted work that never arrived; none where it was not looked for.
    pub(crate) lost: Option<u64>,
    /// Set when the measurement did not end: the figures are those until then.
    pub(crate) gave_up: Option<GaveUp>,
}

/// Why a measurement did not end, and how long after its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GaveUp {
    pub(crate) reason: String,
    pub(crate) after: Duration,
}

/// What was wanted, and whether it was so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) wanted: String,
    pub(crate) met: bool,
    /// Whether the run fails when it is not met.
    pub(crate) binding: bool,
}

impl Report {
    /// With nothing in it yet.
    pub(crate) fn new(scenario: &'static str, shape: impl Into<Option<Shape>>) -> Self {
        let shape = shape.into();
        let (figures, goals, costs, notes) = (vec![], vec![], vec![], vec![]);
        Self { scenario, shape, figures, goals, costs, notes, lost: None, gave_up: None }
    }

    /// Scenario and shape.
    pub(crate) fn title(&self) -> String {
        self.shape.map_or_else(|| self.scenario.to_owned(), |shape| format!("{} on {shape}", self.scenario))
    }

    /// Adds a number.
    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) -> &mut Self {
        self.figures.push((name.into(), value));
        self
    }

    /// The number of this name; 0 when there is none.
    pub(crate) fn value(&self, name: &str) -> f64 {
        self.figures.iter().find(|(known, _)| known == name).map_or(0.0, |(_, value)| *value)
    }

    /// Adds a goal. A measurement that gave up meets none.
    pub(crate) fn goal(&mut self, wanted: impl Into<String>, met: bool) -> &mut Self {
        self.add_goal(wanted.into(), met, false)
    }

    /// Adds a goal of correctness: the run fails when it is not met.
    pub(crate) fn must(&mut self, wanted: impl Into<String>, met: bool) -> &mut Self {
        self.add_goal(wanted.into(), met, true)
    }

    fn add_goal(&mut self, wanted: String, met: bool, binding: bool) -> &mut Self {
        let met = met && self.gave_up.is_none();
        self.goals.push(Goal { wanted, met, binding });
        self
    }

    /// Adds a remark.
    pub(crate) fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Marks the figures as those of a measurement that did not end.
    pub(crate) fn give_up(&mut self, reason: String, after: Duration) {
        self.gave_up = Some(GaveUp { reason, after });
    }

    /// Whether the measurement ended, nothing that was accepted is missing, and what must hold holds.
    pub(crate) fn is_well(&self) -> bool {
        let broken = self.goals.iter().any(|goal| goal.binding && !goal.met);
        self.gave_up.is_none() && self.lost.is_none_or(|lost| lost == 0) && !broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_fails_for_what_must_hold_and_not_for_a_goal_of_speed() {
        let mut report = Report::new("chaos", Shape::Embedded);
        assert!(report.goal("fast", false).must("nothing is lost", true).is_well());
        assert!(!report.must("nothing arrives twice", false).is_well());
    }
}
